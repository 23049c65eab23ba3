"""Running metrics of one learner: growth, forgetting and violations, updated with each finished job.

`stream.results.document` computes the same values from all events. Here they are updated step by step, so an arrival
costs the same after ten tasks and after a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from learners.specification.learner import Learner
from stream.results.account import cost_of
from stream.results.forgetting import RunningScores
from stream.results.growth import kept_after, total
from stream.results.schema import ViolationEntry
from stream.storage.cell import Cell
from stream.storage.events import FitEvent
from stream.storage.finished import Finished, fit_of, row_of


@dataclass(frozen=True)
class FirstCell:
    """The first evaluation of a learned task: after which arrival, and the ids of logits and Delta."""

    arrival: int
    logits: str
    delta: str


@dataclass(eq=False)
class RunningMetrics:
    """Running metrics of the finished jobs of one learner.

    "In sequence" means: from the first arrival up to the first one whose job is not finished.

    Attributes:
        name: Specification of the learner as the user wrote it.
        learner: The learner.
        place: Arrival of each task, from 1.
        backbone: Number of parameters of the backbone.
        learned: First evaluation of each learned task, by task.
        failed: Tasks whose fit failed.
        proven: Number of arrivals, in sequence, whose first evaluation was checked to use the Delta of their fit; for
            certificates. Default: 0.
        growth: Number of all parameters after each fit in sequence, with heads, in multiples of the backbone.
        kept, heads: Number of parameters kept without heads, and of heads, as `stream.results.growth` counts them.
        scores: Scores of the rows of R in sequence.
    """

    name: str
    learner: Learner
    place: Mapping[str, int]
    backbone: int
    learned: dict[str, FirstCell] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    proven: int = 0
    growth: list[float] = field(default_factory=list)
    kept: int = 0
    heads: int = 0
    scores: RunningScores = field(init=False)

    def __post_init__(self) -> None:
        self.scores = RunningScores(self.place)

    @property
    def rows(self) -> int:
        """Number of rows of R in sequence."""
        return self.scores.rows

    @property
    def forgetting(self) -> float | None:
        """The metric forgetting_chaudhry of the rows so far, exactly as the results give it."""
        return self.scores.forgetting


def add_cells(metrics: RunningMetrics, arrival: int, cells: Iterable[Cell]) -> list[ViolationEntry]:
    """Adds the cells of a row.

    Returns:
        The learned tasks of an isolated learner whose logits differ from those of their first evaluation.
    """
    violations: list[ViolationEntry] = []
    for cell in cells:
        task, now = cell.task, FirstCell(arrival, cell.logits, cell.delta)
        if metrics.place[task] > arrival:
            continue
        before = metrics.learned.setdefault(task, now)
        if metrics.learner.keeps_task_weights and before.logits != now.logits:
            first, last = sorted((before, now), key=lambda cell: cell.arrival)
            violations.append({"task": task, "arrival": last.arrival, "expected": first.logits, "found": last.logits})
    return violations


def advance(metrics: RunningMetrics, events: Finished) -> None:
    """Adds the fits and rows that are now in sequence."""
    while (fit := fit_of(events, metrics.name, len(metrics.growth) + 1)) is not None:
        if isinstance(fit, FitEvent):
            cost = cost_of(fit)
            metrics.kept, metrics.heads = kept_after(metrics.learner, metrics.kept, cost), metrics.heads + cost.head
        else:
            metrics.failed.add(fit.task)
        metrics.growth.append(total(metrics.learner, metrics.backbone, metrics.kept, metrics.heads))
    while (row := row_of(events, "evaluate", metrics.name, metrics.rows + 1)) is not None:
        metrics.scores.add({cell.task: cell.score for cell in row.cells})
