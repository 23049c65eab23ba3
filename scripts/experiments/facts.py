"""What a study says of a learner, and the columns of its table that show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measures import of_metric
from study import points

from learners.backbones.architecture import Architecture
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner
from stream import Study
from stream.results.intervals import Interval
from stream.results.learner_cost import Cost
from stream.storage.events import FitEvent, RowEvent, SearchEvent, read_events
from stream.storage.ledger import read_ledger
from stream.study.document import SCORE, comparison
from stream.study.scores import Arm, draws
from stream.study.statistics import mean_over

PERCENTILES = (20, 50, 80)


class Facts(NamedTuple):
    """One learner over all runs of a study. Scores and differences are fractions.

    Attributes:
        sharing: `isolated`, `sequential` or `frozen-shared`.
        score: Mean over tasks after the last arrival, with its interval over seeds, and orders if it depends on them.
        tasks: Mean score of each task over the runs.
        lowest, highest: Mean score of the worst and the best run.
        widest: Largest range of a task's score over runs, and that task.
        difference: To the reference learner, paired, over seeds and tasks; None for the reference and without one.
        percentiles: 20th, 50th and 80th percentile over tasks of the difference to the reference.
        trained, kept: Parameters per task, without heads: trained, and stored after zeros are pruned.
        share: `kept` divided by the parameters of the backbone.
        bytes: Size on disk of one task's Delta without its head; names, shapes and indices of sparse tensors included.
        stored: Everything that is kept after the last arrival, in bytes, without the backbone.
        seconds, flops: Training time per task; floating point operations of all training.
        growth: Parameters kept after the last arrival, in multiples of the backbone, with heads.
        forgetting: Forgetting (Chaudhry et al. 2018) with its interval; None if a run does not define it.
        verified: Whether the proof of retention holds in every run.
        fitted: Number of fits that were not read from the store.
        same: Whether the last logits of all tasks are the same in every order of a seed, bit for bit.
        search_flops: Of all fits that were made to choose; None without alternatives.
        chosen: How often each alternative won, the most frequent first; empty without alternatives.
    """

    sharing: str
    score: Interval
    tasks: Mapping[str, float]
    lowest: float
    highest: float
    widest: tuple[float, str]
    difference: Interval | None
    percentiles: Mapping[int, float]
    trained: float
    kept: float
    share: float
    bytes: float
    stored: float
    seconds: float
    flops: float
    growth: float
    forgetting: Interval | None
    verified: bool
    fitted: int
    same: bool
    search_flops: float | None
    chosen: Mapping[str, int]


def facts_of(arm: Arm, reference: Arm | None, study: Study, backbone: int) -> Facts:
    """Summarise one learner and compare it with the reference.

    Args:
        backbone: Number of parameters of the backbone.
    """
    costs = [results.cost for results in arm.results]
    tasks = arm.results[0].order
    runs = [dict(zip(results.order, results.matrix[results.arrivals], strict=True)) for results in arm.results]
    scores = of_metric(SCORE)(arm, tasks, backbone)  # [S, T]
    means = [math.fsum(run.values()) / len(run) for run in runs]
    forgetting = draws(arm, "forgetting_chaudhry")
    fits = max(sum(len(cost.bytes_per_task) for cost in costs), 1)
    gap, percentiles = None, dict.fromkeys(PERCENTILES, 0.0)
    if reference is not None and reference.name != arm.name and (found := comparison(arm, reference, SCORE)):
        gap = Interval(found["difference"], found["half"], found["seeds"])
        spread = scores.mean(axis=0) - of_metric(SCORE)(reference, tasks, backbone).mean(axis=0)
        percentiles = dict(zip(PERCENTILES, np.percentile(spread, PERCENTILES).tolist(), strict=True))
    chosen: dict[str, int] = {}
    for results in arm.results:
        for choice in results.selection.values():
            chosen[choice.chosen] = chosen.get(choice.chosen, 0) + 1
    search = [cost.search_flops for cost in costs if cost.search_flops is not None]

    def mean(by_task: Callable[[Cost], Mapping[str, int]]) -> float:
        return sum(sum(by_task(cost).values()) for cost in costs) / fits

    kept = mean(lambda cost: cost.kept_parameters_per_task)
    logits, fitted = last_logits(arm, Path(study.folder))
    return Facts(
        sharing=arm.results[0].sharing,
        score=Interval(*mean_over(draws(arm, SCORE))[:3]),
        tasks=dict(zip(tasks, scores.mean(axis=0).tolist(), strict=True)),
        lowest=min(means),
        highest=max(means),
        widest=max((float(max(r[t] for r in runs) - min(r[t] for r in runs)), t) for t in tasks),
        difference=gap,
        percentiles=percentiles,
        trained=mean(lambda cost: cost.trained_parameters_per_task),
        kept=kept,
        share=kept / backbone,
        bytes=mean(lambda cost: cost.bytes_per_task) - 4 * mean(lambda cost: cost.head_parameters_per_task),
        stored=sum(cost.after_each_arrival[-1].bytes or 0 for cost in costs) / len(costs),
        seconds=sum(cost.train_seconds or 0.0 for cost in costs) / fits,
        flops=sum(cost.train_flops or 0.0 for cost in costs) / len(costs),
        growth=sum(cost.growth[-1] or math.nan for cost in costs) / len(costs),
        forgetting=Interval(*mean_over(forgetting)[:3]) if len(forgetting) == len(arm.seeds) else None,
        verified=all(results.retention.verified for results in arm.results),
        fitted=fitted,
        same=all(len({*map(repr, each)}) == 1 for each in logits.values()),
        search_flops=sum(search) / len(search) if search else None,
        chosen=dict(sorted(chosen.items(), key=lambda entry: -entry[1])),
    )


def last_logits(arm: Arm, folder: Path) -> tuple[dict[int, list[Mapping[str, str]]], int]:
    """From the ledgers of a study: for each seed, the content ids of each task's last logits in each of its orders; and
    the number of fits that were made."""
    found: dict[int, list[Mapping[str, str]]] = {}
    fitted = 0
    for member, results in zip(arm.members, arm.results, strict=True):
        logits: dict[str, str] = {}
        for event in read_events(read_ledger(folder / member.folder / "ledger.jsonl")):
            if isinstance(event, RowEvent) and event.learner == results.name and event.kind != "before":
                logits |= {cell.task: cell.logits for cell in event.cells}
            elif isinstance(event, FitEvent | SearchEvent) and event.learner == results.name:
                fitted += event.cached is False
        found.setdefault(member.seed, []).append(dict(sorted(logits.items())))
    return found, fitted


def counted(learner: str, architecture: Architecture) -> int:
    """Parameters as He et al. (2022) count them, from the config alone: no head, no biases but BitFit's."""
    shapes = delta_shapes(parse_learner(learner), architecture, 1)
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if not name.startswith("head.") and not (name.startswith("added.") and name.endswith("bias"))
    )


class Column(NamedTuple):
    """A column: its title, and the text of a cell from the facts of a learner."""

    title: str
    text: Callable[[Facts], str]
    left: bool = False


def percent(value: float) -> str:
    return f"{100 * value:.3g}%"


def _percentile(mark: int) -> Callable[[Facts], str]:
    return lambda facts: points(facts.percentiles[mark], sign=True)


def _kept_exactly(facts: Facts) -> str:
    forgets = facts.forgetting is not None and facts.forgetting.mean != 0
    return "exact" if facts.verified and not forgets else "–"


def _choices(facts: Facts) -> str:
    shown = [f"{name.partition(':')[2]} {times}x" for name, times in facts.chosen.items()]
    return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "") or "–"


COLUMNS: Mapping[str, Column] = {
    "score": Column("score\n(over seeds)", lambda facts: points(facts.score)),
    "difference": Column(
        "to {reference}", lambda facts: points(facts.difference, sign=True) if facts.difference else ""
    ),
    **{f"p{mark}": Column(f"{mark}th\npercentile", _percentile(mark)) for mark in PERCENTILES},
    "lowest": Column("lowest\nrun", lambda facts: points(facts.lowest)),
    "highest": Column("highest\nrun", lambda facts: points(facts.highest)),
    "widest": Column(
        "widest range\nof a task",
        lambda facts: f"{points(facts.widest[0])} {facts.widest[1]}" if facts.widest[0] else "0",
    ),
    "forgetting": Column("forget", lambda facts: points(facts.forgetting)),
    "trained": Column("trained\n/task", lambda facts: f"{facts.trained:,.0f}"),
    "kept": Column("kept\n/task", lambda facts: f"{facts.kept:,.0f}"),
    "share": Column("kept, of\nmodel", lambda facts: percent(facts.share)),
    "bytes": Column("bytes\n/task", lambda facts: f"{facts.bytes:,.0f}"),
    "stored": Column("bytes\nkept", lambda facts: f"{facts.stored:,.0f}"),
    "seconds": Column("seconds\n/task", lambda facts: f"{facts.seconds:.1f}"),
    "gflops": Column("GFLOPs", lambda facts: f"{facts.flops / 1e9:,.0f}"),
    "growth": Column("growth", lambda facts: f"{facts.growth:.4g}x"),
    "fits": Column("fits", lambda facts: str(facts.fitted)),
    "exact": Column("kept as\nlearned", _kept_exactly, True),
    "same": Column("in every\norder", lambda facts: "same bits" if facts.same else "differs", True),
    "search": Column(
        "search\nGFLOPs", lambda facts: "–" if facts.search_flops is None else f"{facts.search_flops / 1e9:,.0f}"
    ),
    "chosen": Column("chosen", _choices, True),
}  # fmt: skip


def cells(columns: Sequence[str], facts: Facts, learner: str, architecture: Architecture) -> list[str]:
    """The cells of a learner's row. The columns `counted`, `learner` and `tasks` do not come from facts alone."""
    found: list[str] = []
    for name in columns:
        if name == "counted":
            found.append(f"{counted(learner, architecture):,}")
        elif name == "learner":
            found.append(learner)
        elif name == "tasks":
            found += [points(score) for score in facts.tasks.values()]
        else:
            found.append(COLUMNS[name].text(facts))
    return found


def heads(columns: Sequence[str], reference: str, tasks: Sequence[str]) -> tuple[list[str], list[int]]:
    """Titles of the columns, and the places of those that are text."""
    titles: list[str] = []
    left: list[int] = []
    for name in columns:
        known: Any = COLUMNS.get(name)
        if name == "learner" or (known and known.left):
            left.append(len(titles))
        titles += [*tasks] if name == "tasks" else [known.title.format(reference=reference) if known else name]
    return titles, left
