"""A summary of each learner: the numbers that several sections of the report show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream.results.learner_results import LearnerResults, Retention
from stream.results.results import Results

Row = tuple[float | None, ...]


@dataclass(frozen=True)
class LearnerSummary:
    """One learner as the report shows it. Scores are fractions. None means not known, and never 0.

    Attributes:
        rows: R without its first row: row i holds the scores after arrival i + 1, [k, T] with k <= T.
        before: The first row of R: scores before any training, [T].
        half: Half width of the 95 % interval of `average` over test rows.
        average, forgetting, bwt: The metrics average_accuracy, forgetting_chaudhry and bwt_gem.
        growth, growth_without_heads: Total parameters after each arrival, in multiples of the backbone.
        trained_share: Mean trained parameters per task without the head, as a fraction of the backbone.
        bytes_per_task: Mean stored bytes of a Delta, with its head.
        train_seconds: Wall clock of all fits, seconds.
        retention: The proof.
        counted: Number of arrived tasks that the metrics use. The fits of the other arrived tasks failed.
        own: Metrics that the user added, by name.
    """

    name: str
    sharing: str
    rows: tuple[Row, ...]
    before: Row
    average: float | None
    half: float | None
    forgetting: float | None
    bwt: float | None
    growth: Row
    growth_without_heads: Row
    trained_share: float | None
    bytes_per_task: float | None
    train_seconds: float | None
    retention: Retention
    counted: int
    own: Mapping[str, float | None]

    @property
    def whole(self) -> bool:
        """Whether the metrics use all tasks that arrived."""
        return self.counted >= len(self.rows)

    @property
    def now(self) -> Row:
        """Scores after the last finished arrival, one per task of the order."""
        return self.rows[-1] if self.rows else tuple(None for _ in self.before)


def summaries(results: Results) -> tuple[LearnerSummary, ...]:
    """Returns a summary of each learner, in the order of the results."""
    return tuple(summary(learner, results.backbone.parameters) for learner in results.learners.values())


def summary(learner: LearnerResults, backbone: int | None) -> LearnerSummary:
    """Returns a summary of one learner.

    Args:
        backbone: Number of parameters of the backbone; None if not known.
    """
    before, *rows = learner.rows()
    from stream.results.metrics import METRICS  # imports NumPy, which is slow; the command starts without it

    built_in = METRICS.built_in()
    return LearnerSummary(
        name=learner.name,
        sharing=learner.sharing,
        rows=tuple(rows),
        before=before,
        average=learner.metrics.get("average_accuracy"),
        half=learner.half_width,
        forgetting=learner.metrics.get("forgetting_chaudhry"),
        bwt=learner.metrics.get("bwt_gem"),
        growth=learner.cost.growth,
        growth_without_heads=learner.cost.growth_without_heads,
        trained_share=learner.trained_share(backbone),
        bytes_per_task=learner.bytes_per_task,
        train_seconds=learner.cost.train_seconds,
        retention=learner.retention,
        counted=learner.counted,
        own={name: value for name, value in learner.metrics.items() if name not in built_in},
    )


def last(values: Row) -> float | None:
    return values[-1] if values else None


def ranked(learners: Sequence[LearnerSummary]) -> list[LearnerSummary]:
    """Sorts learners: best average score first, then those with averages over fewer tasks, then those without one.

    An average over fewer tasks cannot be compared with the others.
    """
    return sorted(learners, key=lambda learner: (learner.average is None, not learner.whole, -(learner.average or 0.0)))


def arrivals_done(learners: Sequence[LearnerSummary]) -> int:
    """Returns the number of arrivals that every learner has finished."""
    return min((len(learner.rows) for learner in learners), default=0)
