"""The facts of the run: suite, backbone, settings, learners, versions, hashes, and the cost of each learner."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream.report.html.marks import PAGE, badge
from stream.report.html.record import Record
from stream.report.html.table import Code, Column, Table
from stream.report.numbers import duration, scaled
from stream.report.terminal.cost import captions
from stream.report.terminal.header import FIRST, MANY
from stream.results.learner_results import LearnerResults
from stream.results.reading import number
from stream.results.results import Results

TRAINING = {
    "learning_rate": "learning rate",
    "epochs": "epochs, at most",
    "batch_size": "batch size",
    "warmup": "warmup",
    "weight_decay": "weight decay",
    "patience": "patience",
}
CHOSEN = "chosen per task"  # for a training setting that is an axis of alternatives
RATE = "peak, as set; a default rate is for width 384, and is scaled to the width of the backbone"


@dataclass(frozen=True)
class Fact:
    """One fact of the run: its name, a text, and after it `code`, which has a fixed-width font."""

    name: str
    text: str
    code: str = ""


def facts(results: Results, record: Record) -> list[Fact]:
    """Returns the facts of the run. Facts that are not known are left out."""
    order = [f"{index} {name}" for index, name in enumerate(results.order, start=1)]
    if len(order) > MANY:
        order = [*order[:FIRST], f"... {len(order) - FIRST - 1} more ...", order[-1]]
    backbone = results.backbone
    found = [
        Fact("suite", results.suite or "unnamed"),
        Fact("source", results.source or PAGE.missing),
        Fact("tasks in order of arrival", ", ".join(order)),
        Fact("backbone", f"{backbone.name}, {scaled(backbone.parameters, PAGE)} parameters"),
        Fact("content id of the backbone", "", backbone.id or PAGE.missing),
        Fact("seed", PAGE.missing if results.seed is None else str(results.seed)),
        Fact("settings", listed(results.settings)),
        Fact("versions and machine", listed(results.environment)),
        Fact("SHA-256 of results.json", "", record.digest or PAGE.missing),
    ]
    if results.ledger is not None:
        found.append(Fact("ledger", f"{results.ledger.lines} lines, last hash ", results.ledger.hash))
    return [fact for fact in found if fact.text or fact.code]


def listed(values: Mapping[str, object]) -> str:
    return " · ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in values.items() if value not in (None, {}, "")
    )


def learners_table(results: Results) -> Table:
    """Returns the canonical name and the training settings of each learner."""
    learners = results.learners.values()
    columns = [
        learner_column(results),
        Column("canonical name", [Code(x.canonical or x.spec) for x in learners], align="left"),
    ]
    for key in TRAINING:
        varies = [is_chosen(learner, key) for learner in learners]
        values = [None if free else number(x.training.get(key)) for x, free in zip(learners, varies, strict=True)]
        if any(varies) or any(value is not None for value in values):
            known = [PAGE.missing if value is None else f"{value:g}" for value in values]
            shown = [CHOSEN if free else text for text, free in zip(known, varies, strict=True)]
            columns.append(Column(TRAINING[key], shown, values, about=RATE if key == "learning_rate" else ""))
    return Table(columns, "Learners")


def is_chosen(learner: LearnerResults, key: str) -> bool:
    """Whether the alternatives of a learner differ in a training setting: its specification has `key=VALUE/VALUE`, or
    the alternatives that were tried have different values."""
    values = {
        tuple(re.findall(rf":{key}=([^:+]+)", name)) for each in learner.selection.values() for name in each.candidates
    }
    return len(values) > 1 or re.search(rf":{key}=[^:+/]+/", learner.canonical or learner.spec) is not None


def cost(results: Results) -> Table:
    """Returns FLOPs, seconds, memory and bytes of each learner; and of its search, if a learner has alternatives."""
    costs = [learner.cost for learner in results.learners.values()]
    columns = [learner_column(results)]
    writers: dict[str, tuple[str, Callable[[float], str]]] = {
        "train_flops": ("train FLOPs", lambda value: scaled(value, PAGE)),
        "train_seconds": ("train time", lambda value: duration(value, PAGE)),
        "evaluate_seconds": ("evaluate time", lambda value: duration(value, PAGE)),
        "peak_memory_bytes": ("memory", lambda value: scaled(value, PAGE, "B")),
    }
    if any(entry.search_fits is not None for entry in costs):
        writers |= {
            "search_fits": ("search fits", lambda value: f"{value:,.0f}"),
            "search_flops": ("search FLOPs", lambda value: scaled(value, PAGE)),
            "search_seconds": ("search time", lambda value: duration(value, PAGE)),
        }
    for key, (title, write) in writers.items():
        values = [number(getattr(entry, key)) for entry in costs]
        columns.append(Column(title, [written(value, write) for value in values], values))
    disk = [float(sum(entry.bytes_per_task.values())) if entry.bytes_per_task else None for entry in costs]
    columns.append(Column("disk", [scaled(size, PAGE, "B") for size in disk], disk))
    return Table(columns, "Cost")


def written(value: float | None, write: Callable[[float], str]) -> str:
    return PAGE.missing if value is None else write(value)


def cost_caption(results: Results) -> str:
    """Returns what the columns of the cost table mean."""
    costs = [learner.cost for learner in results.learners.values()]
    return " ".join(f"{line[:1].upper()}{line[1:]}" for line in captions(costs))


def learner_column(results: Results) -> Column:
    names = list(results)
    return Column("learner", [badge(index, name) for index, name in enumerate(names)], names, "left")
