"""What a continual-learning metric is: a named function of the accuracy matrix, with formula and source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tasks.description import Array, Description

__all__ = ["Array", "Baseline", "Description", "Metric", "mean"]

Baseline = Literal["before", "single_task", "joint"]
LEFT_OUT = (
    "A task without a score on the day it arrived, as one whose fit failed, is left out with its row, as if it had "
    "never come: T counts the others. None where another cell it needs is empty, never 0 in its place."
)


@dataclass(frozen=True, kw_only=True)
class Metric(Description):
    """A continual-learning metric.

    Attributes:
        compute: `(R [T, T], baseline [T]) -> value`. R[i, j] is the score on task j after learning task i, NaN where
            not evaluated. None where a cell it needs is NaN or T is too small. `compute_all` hands it an R without
            the tasks that are left out.
        baseline: What the second argument of `compute` holds: the score of each task `before` any training (b), or
            of a reference learner trained on this task alone (`single_task`) or on all tasks together (`joint`).
    """

    compute: Callable[[Array, Array], float | None]
    baseline: Baseline = "before"
    empty_cells: str = LEFT_OUT


def mean(values: Iterable[float], over: int | None = None) -> float | None:
    """Sum of `values` divided by their number, or by `over`; None where there is none or one is NaN.

    Summed without rounding error, so that the same scores in another order give the same bits.
    """
    terms = [float(value) for value in values]
    if not terms or any(math.isnan(term) for term in terms):
        return None
    return math.fsum(terms) / (len(terms) if over is None else over)
