"""The description of a metric, of a task or of a stream: what a reader must know before comparing two numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


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
