"""The type of a continual-learning metric: a named function of the accuracy matrix R, with formula and source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tasks.description import Array, Description

__all__ = ["Array", "Baseline", "Description", "Metric", "mean"]

Baseline = Literal["before", "single_task", "joint"]
LEFT_OUT = (
    "A task without a score on its own arrival (for example, its fit failed) is left out with its row, and T is the "
    "number of the other tasks. If another cell that the metric needs is empty, the metric is None, never 0."
)


@dataclass(frozen=True, kw_only=True)
class Metric(Description):
    """A continual-learning metric.

    Attributes:
        compute: `(R [T, T], baseline [T]) -> value`. R[i, j] is the score of task j after learning task i; NaN if not
            evaluated. The value is None if a needed cell is NaN or T is too small. `compute_all` passes R without the
            tasks that are left out.
        baseline: What the second argument of `compute` holds. `before`: the score of each task before any training (b).
            `single_task`: the score of a reference learner trained on this task alone. `joint`: the score of a
            reference learner trained on all tasks together. Default: `before`.
        empty_cells: What happens to empty cells of R, in words.
    """

    compute: Callable[[Array, Array], float | None]
    baseline: Baseline = "before"
    empty_cells: str = LEFT_OUT


def mean(values: Iterable[float], over: int | None = None) -> float | None:
    """Returns the sum of `values` divided by their number, or by `over`. None if there is no value or one is NaN.

    The sum has no rounding error (`math.fsum`), so the order of the values does not change any bit.
    """
    terms = [float(value) for value in values]
    if not terms or any(math.isnan(term) for term in terms):
        return None
    return math.fsum(terms) / (len(terms) if over is None else over)
