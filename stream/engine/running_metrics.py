"""The metrics of one learner: running figures, brought up to date by each job at the price of what that job ran.

What `stream.results.document` derives anew from all events is here carried along, so that an arrival costs the same
after ten tasks and after a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from learners.specification.learner import Learner
from stream.results.account import cost_of
from stream.results.growth import kept_after, total
from stream.storage.job import JobId

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Learned:
    """How a learned task was answered first: after which arrival, and ids of the logits and of the Delta."""

    arrival: int
    logits: str
    delta: str


@dataclass(eq=False)
class RunningMetrics:
    """How far one learner has come.

    Attributes:
        place: Arrival of each task, from 1.
        backbone: Parameters of the backbone.
        learned: The first answer known for each task that was learned.
        proven: Arrivals, from the first on, whose answer is known to be that of their fit's Delta; for certificates.
        failed: Tasks whose fit gave nothing.
        growth: After each finished fit without a gap, heads included, in multiples of the backbone.
        kept, heads: The parameters it counts, as `stream.results.growth` does.
        rows: Number of rows of R without a gap.
        best: Highest score of each task in the rows from its arrival to the last but one.
        now: Score of each task in the last row.
        lost: Where the two differ, by how much.
        unscored: Tasks of the last row that were answered with no number.
    """

    name: str
    learner: Learner
    place: Mapping[str, int]
    backbone: int
    learned: dict[str, Learned] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    proven: int = 0
    growth: list[float] = field(default_factory=list)
    kept: int = 0
    heads: int = 0
    rows: int = 0
    best: dict[str, float] = field(default_factory=dict)
    now: dict[str, float] = field(default_factory=dict)
    lost: dict[str, float] = field(default_factory=dict)
    unscored: set[str] = field(default_factory=set)

    @property
    def forgetting(self) -> float | None:
        """The metric forgetting_chaudhry of the rows so far, bit for bit."""
        counted = len(self.now)  # tasks scored on the day they arrived; see `stream.results.metrics`
        whole = counted > 1 and not self.unscored & self.now.keys()
        return math.fsum(self.lost.values()) / (counted - 1) if whole else None


def answered(metrics: RunningMetrics, arrival: int, cells: Iterable[Event]) -> list[dict[str, Any]]:
    """Take in a row's logits; returns the learned tasks of an isolated learner that were answered otherwise before."""
    found = []
    for cell in cells:
        task, now = cell["task"], Learned(arrival, cell["logits"], cell["delta"])
        if metrics.place[task] > arrival:
            continue
        known = metrics.learned.setdefault(task, now)
        if metrics.learner.keeps_task_weights and known.logits != now.logits:
            first, then = sorted((known, now), key=lambda answer: answer.arrival)
            found.append({"task": task, "arrival": then.arrival, "expected": first.logits, "found": then.logits})
    return found


def advance(metrics: RunningMetrics, events: Mapping[str, Event]) -> None:
    """Take in the fits and rows that have come to follow those before without a gap."""
    while (fit := events.get(JobId.of("fit", metrics.name, len(metrics.growth) + 1))) is not None:
        if "failed" in fit:
            metrics.failed.add(fit["task"])
        else:
            cost = cost_of(fit)
            metrics.kept, metrics.heads = kept_after(metrics.learner, metrics.kept, cost), metrics.heads + cost.head
        metrics.growth.append(total(metrics.learner, metrics.backbone, metrics.kept, metrics.heads))
    while (row := events.get(JobId.of("evaluate", metrics.name, metrics.rows + 1))) is not None:
        metrics.rows += 1
        _answered_row(metrics, {cell["task"]: cell["score"] for cell in row["cells"]})


def _answered_row(metrics: RunningMetrics, scores: Mapping[str, float | None]) -> None:
    """A row of R, unless the task that arrived has no score in it: then task and row are left out of every figure."""
    arrived = {task: score for task, score in scores.items() if metrics.place[task] <= metrics.rows}
    if all(score is None or metrics.place[task] < metrics.rows for task, score in arrived.items()):
        return
    metrics.unscored = {task for task, score in arrived.items() if score is None}
    for task, score in arrived.items():
        if score is not None and (task in metrics.now or metrics.place[task] == metrics.rows):
            _scored(metrics, task, score)


def _scored(metrics: RunningMetrics, task: str, score: float) -> None:
    if task in metrics.now:
        best = metrics.best[task] = max(metrics.best.get(task, -math.inf), metrics.now[task])
        metrics.lost.pop(task, None)
        if best != score:
            metrics.lost[task] = best - score
    metrics.now[task] = score
