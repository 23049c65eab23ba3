"""Running metrics of one learner, brought up to date by each job at the price of what that job ran.

What `stream.results.document` derives anew from all events is here carried along, so that an arrival costs the same
after ten tasks and after a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from learners.specification.learner import Learner
from stream.results.account import cost_of
from stream.results.forgetting import RunningScores
from stream.results.growth import kept_after, total
from stream.results.schema import ViolationEntry
from stream.storage.cell import Score
from stream.storage.events import FitEvent
from stream.storage.finished import Finished, fit_of, row_of


@dataclass(frozen=True)
class Answer:
    """How a learned task was answered first: after which arrival, and ids of the logits and of the Delta."""

    arrival: int
    logits: str
    delta: str


@dataclass(eq=False)
class RunningMetrics:
    """How far one learner has come: figures of its finished jobs.

    Attributes:
        place: Arrival of each task, from 1.
        backbone: Parameters of the backbone.
        learned: The first answer known for each task that was learned.
        proven: Arrivals, from the first on, whose answer is known to be that of their fit's Delta; for certificates.
        failed: Tasks whose fit gave nothing.
        growth: After each finished fit without a gap, heads included, in multiples of the backbone.
        kept, heads: The parameters it counts, as `stream.results.growth` does.
        scores: Of the rows of R without a gap.
    """

    name: str
    learner: Learner
    place: Mapping[str, int]
    backbone: int
    learned: dict[str, Answer] = field(default_factory=dict)
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
        """Rows of R without a gap."""
        return self.scores.rows

    @property
    def forgetting(self) -> float | None:
        """The metric forgetting_chaudhry of the rows so far, bit for bit."""
        return self.scores.forgetting


def answered(metrics: RunningMetrics, arrival: int, cells: Iterable[Score]) -> list[ViolationEntry]:
    """Take in a row's logits; returns the learned tasks of an isolated learner that were answered otherwise before."""
    found: list[ViolationEntry] = []
    for cell in cells:
        task, now = cell.task, Answer(arrival, cell.logits, cell.delta)
        if metrics.place[task] > arrival:
            continue
        known = metrics.learned.setdefault(task, now)
        if metrics.learner.keeps_task_weights and known.logits != now.logits:
            first, then = sorted((known, now), key=lambda answer: answer.arrival)
            found.append({"task": task, "arrival": then.arrival, "expected": first.logits, "found": then.logits})
    return found


def advance(metrics: RunningMetrics, events: Finished) -> None:
    """Take in the fits and rows that have come to follow those before without a gap."""
    while (fit := fit_of(events, metrics.name, len(metrics.growth) + 1)) is not None:
        if isinstance(fit, FitEvent):
            cost = cost_of(fit)
            metrics.kept, metrics.heads = kept_after(metrics.learner, metrics.kept, cost), metrics.heads + cost.head
        else:
            metrics.failed.add(fit.task)
        metrics.growth.append(total(metrics.learner, metrics.backbone, metrics.kept, metrics.heads))
    while (row := row_of(events, "evaluate", metrics.name, metrics.rows + 1)) is not None:
        metrics.scores.add({cell.task: cell.score for cell in row.cells})
