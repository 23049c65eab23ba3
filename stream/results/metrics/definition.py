"""What a continual-learning metric is: a named function of the accuracy matrix, with formula and source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Baseline = Literal["before", "single_task", "joint"]
LEFT_OUT = (
    "A task without a score on the day it arrived, as one whose fit failed, is left out with its row, as if it had "
    "never come: T counts the others. None where another cell it needs is empty, never 0 in its place."
)


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a reader must know of a number before comparing it with another.

    Attributes:
        range: Smallest and largest possible value (of a continual-learning metric: when the scores lie in [0, 1];
            Matthews and Spearman scores, in [-1, 1], widen it).
        citation: Paper with section or equation, then the public code that computes it so.
        empty_cells: What becomes of a score that does not exist.
    """

    name: str
    title: str
    formula: str
    citation: str
    range: tuple[float, float]
    empty_cells: str
    lower_is_better: bool = False


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


def describe(metric: Description) -> dict[str, object]:
    """The metric as plain data, ready for JSON: name, title, formula, citation, range, direction, empty cells."""
    return {
        "name": metric.name,
        "title": metric.title,
        "formula": metric.formula,
        "citation": metric.citation,
        "range": list(metric.range),
        "direction": "lower is better" if metric.lower_is_better else "higher is better",
        "empty_cells": metric.empty_cells,
    }
