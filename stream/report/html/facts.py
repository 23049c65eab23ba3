"""What was run and how to check it: suite, backbone, settings, learners, versions, the command, the proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.report.console import Page
from stream.report.html.badge import named
from stream.report.html.markup import Child, Markup, join, tag
from stream.report.html.record import Record
from stream.report.html.table import Column, table
from stream.report.learner_summary import standings
from stream.report.numbers import duration, number, scaled
from stream.report.terminal.cost import CAPTION
from stream.report.terminal.failures import REMEDY, failures
from stream.report.terminal.header import MANY, SETTINGS, unfinished

TRAINING = ("learning_rate", "epochs", "batch_size", "warmup", "weight_decay", "patience")


def about(results: Mapping[str, Any], record: Record, page: Page) -> Markup:
    """The run, setting by setting, with the commands that make and check it."""
    order = [f"{index} {name}" for index, name in enumerate(results["order"], start=1)]
    if len(order) > MANY:
        order = [*order[:5], f"... {len(order) - 6} more ...", order[-1]]
    backbone: Mapping[str, Any] = results.get("backbone") or {}
    settings = {**(results.get("settings") or {}), **{key: results[key] for key in SETTINGS if key in results}}
    ledger: Mapping[str, Any] = results.get("ledger") or {}
    rows: list[tuple[str, Child]] = [
        ("suite", str(results.get("suite") or "unnamed")),
        ("source", str(results.get("source") or page.missing)),
        ("tasks in order of arrival", ", ".join(order)),
        ("backbone", f"{backbone.get('name')}, {scaled(number(backbone.get('parameters')), page)} parameters"),
        ("its content id", code(backbone.get("id"), page)),
        ("seed", str(results.get("seed", page.missing))),
        ("settings", listed({key: value for key, value in settings.items() if value is not None})),
        ("versions and machine", listed(results.get("environment") or {})),
        ("results.json, SHA-256", code(record.digest, page)),
        ("end of the ledger", [f"{ledger.get('lines')} lines, ", code(ledger.get("hash"), page)] if ledger else None),
    ]
    facts = [join(tag("dt", name), tag("dd", value)) for name, value in rows if value]
    return tag(
        "section",
        tag("h2", "What ran"),
        tag("dl", facts),
        commands(record),
        learners_table(results, page),
        id="run",
    )


def commands(record: Record) -> list[Markup]:
    made = [tag("h3", "The command that made it"), tag("pre", tag("code", record.command))] if record.command else []
    check = [
        tag("h3", "How to verify it"),
        tag("pre", tag("code", f"{record.verify}\n{record.verify} --rerun all")),
        tag(
            "p",
            "The first checks ledger, Deltas, every cell of R, results and data, each against its hash and each other; "
            "the second also evaluates every cell again from the stored Deltas. A copy of the folder is enough.",
            class_="caption",
        ),
    ]
    return [*made, *(check if record.verify else [])]


def learners_table(results: Mapping[str, Any], page: Page) -> Markup:
    """What the names of the learners stand for, and what each is trained with."""
    records: Sequence[Mapping[str, Any]] = list(results["learners"].values())
    names = list(results["learners"])
    trainings = [record.get("training") or {} for record in records]
    columns = [
        Column("learner", [named(index, name) for index, name in enumerate(names)], names, "left"),
        Column("in full", [tag("code", str(x.get("canonical") or x.get("spec"))) for x in records], None, "left"),
    ]
    for key in TRAINING:
        values = [number(training.get(key)) for training in trainings]
        if any(value is not None for value in values):
            shown = [page.missing if value is None else f"{value:g}" for value in values]
            columns.append(Column(key.replace("_", " "), shown, values))
    return join(tag("h3", "Learners"), table(columns, label="Learners"))


def failed(results: Mapping[str, Any]) -> Markup | None:
    """Every fit that failed, and what to do; nothing where none did."""
    found = failures(results)
    if not found:
        return None
    listed_all = tag("ul", [tag("li", words) for words in found])
    title = tag("h2", f"Failures: {len(found)}")
    return tag("section", title, listed_all, tag("p", REMEDY), id="failures", class_="warning")


def cost(results: Mapping[str, Any], page: Page) -> Markup:
    """FLOPs, seconds, memory and bytes of every learner."""
    names = list(results["learners"])
    costs = [record.get("cost") or {} for record in results["learners"].values()]
    kept = [sum(number(size) or 0.0 for size in (entry.get("bytes_per_task") or {}).values()) for entry in costs]
    flops = [number(entry.get("train_flops")) for entry in costs]
    columns = [Column("learner", [named(index, name) for index, name in enumerate(names)], names, "left")]
    columns.append(Column("train FLOPs", [scaled(value, page) for value in flops], flops))
    for title, key in (("train time", "train_seconds"), ("evaluate time", "evaluate_seconds")):
        seconds = [number(entry.get(key)) for entry in costs]
        columns.append(Column(title, [duration(value, page) for value in seconds], seconds))
    memory = [number(entry.get("peak_memory_bytes")) for entry in costs]
    columns.append(Column("memory", [scaled(value, page, "B") for value in memory], memory))
    columns.append(Column("disk", [scaled(value, page, "B") for value in kept], kept))
    words = tag(
        "p",
        " ".join(f"{line[:1].upper()}{line[1:]}" if line[:1].islower() else line for line in CAPTION),
        class_="caption",
    )
    return tag("section", tag("h2", "Cost"), table(columns, label="Cost"), words, id="cost")


def cautions(results: Mapping[str, Any]) -> list[Markup]:
    """What a reader must know first: an unfinished stream."""
    words = unfinished(standings(results), len(results["order"]))
    return [tag("p", words, class_="warning")] if words else []


def code(value: object, page: Page) -> Markup:
    return tag("code", str(value or page.missing))


def listed(values: Mapping[str, Any]) -> str:
    return " · ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in values.items() if value not in (None, {}, "")
    )
