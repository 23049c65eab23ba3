"""Where each learner stands: the figures of results.json that the sections of the report share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, cast

from stream.report.numbers import mean, number

Row = tuple[float | None, ...]


@dataclass(frozen=True)
class Standing:
    """One learner as the report shows it. Scores are fractions; None is "not known", never 0.

    Attributes:
        rows: R without its first row: row i holds the scores after arrival i + 1, [k, T] with k <= T.
        before: The first row of R: scores before any training, [T].
        average, forgetting, bwt: The metrics average_accuracy, forgetting_chaudhry and bwt_gem.
        growth, growth_without_heads: Total parameters after each arrival, in times of the backbone.
        trained_share: Mean over tasks of the parameters trained, heads apart, as a fraction of the backbone.
        bytes_per_task: Mean stored bytes of a Delta, its head included.
        retention: The proof: `verified`, numbers of cells by provenance, violations.
        counted: Tasks that the metrics are over; of those that arrived, the others failed.
    """

    name: str
    sharing: str
    rows: tuple[Row, ...]
    before: Row
    average: float | None
    forgetting: float | None
    bwt: float | None
    growth: Row
    growth_without_heads: Row
    trained_share: float | None
    bytes_per_task: float | None
    train_seconds: float | None
    retention: Mapping[str, Any]
    counted: int

    @property
    def whole(self) -> bool:
        """Whether the metrics are over all tasks that arrived."""
        return self.counted >= len(self.rows)

    @property
    def now(self) -> Row:
        """Scores after the last arrival there was, one per task of the order."""
        return self.rows[-1] if self.rows else tuple(None for _ in self.before)


def standings(results: Mapping[str, Any]) -> tuple[Standing, ...]:
    """The learners of `results` (results.json, schema 1) in their order there."""
    return tuple(standing(name, record, results) for name, record in results["learners"].items())


def standing(name: str, record: Mapping[str, Any], results: Mapping[str, Any]) -> Standing:
    tasks = len(results["order"])
    metrics: Mapping[str, Any] = record.get("metrics") or {}
    cost: Mapping[str, Any] = record.get("cost") or {}
    matrix = [numbers(row, tasks) for row in record.get("R") or ()]
    before = matrix[0] if matrix else numbers((), tasks)
    backbone = number((results.get("backbone") or {}).get("parameters"))
    trained = mean_of_values(cost.get("trained_parameters_per_task"))
    return Standing(
        name=name,
        sharing=str(record.get("sharing") or ""),
        rows=tuple(matrix[1:]),
        before=before,
        average=number(metrics.get("average_accuracy")),
        forgetting=number(metrics.get("forgetting_chaudhry")),
        bwt=number(metrics.get("bwt_gem")),
        growth=tuple(number(value) for value in cost.get("growth") or ()),
        growth_without_heads=tuple(number(value) for value in cost.get("growth_without_heads") or ()),
        trained_share=trained / backbone if trained is not None and backbone else None,
        bytes_per_task=mean_of_values(cost.get("bytes_per_task")),
        train_seconds=number(cost.get("train_seconds")),
        retention=record.get("retention") or {},
        counted=int((record.get("metrics_over") or {}).get("tasks", max(len(matrix) - 1, 0))),
    )


def numbers(values: Sequence[object], length: int) -> Row:
    known = cast(list[float | None], list(values[:length]))
    # Nearly every row holds floats and nothing else, and a long stream has a million cells.
    if not {type(value) for value in known} <= {float, NoneType} or not math.isfinite(sum(filter(None, known))):
        known = [number(value) for value in known]
    return tuple(known + [None] * (length - len(known)))


def mean_of_values(by_task: Mapping[str, object] | None) -> float | None:
    return mean([number(value) for value in (by_task or {}).values()])


def last(values: Row) -> float | None:
    return values[-1] if values else None


def ranked(standings: Sequence[Standing]) -> list[Standing]:
    """Best average score first; then those over fewer tasks, which do not compare; learners without one last."""
    return sorted(
        standings, key=lambda learner: (learner.average is None, not learner.whole, -(learner.average or 0.0))
    )


def arrivals_done(standings: Sequence[Standing]) -> int:
    """Arrivals that every learner has finished."""
    return min((len(learner.rows) for learner in standings), default=0)
