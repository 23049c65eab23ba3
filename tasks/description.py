"""The description of a metric, of a task or of a stream: what to know before two of its values are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Description:
    """What to know about a metric before two of its values are compared.

    Attributes:
        name: Short name, as in options and files.
        title: Name for readers.
        formula: The definition, as text.
        citation: Paper with section or equation, then public code that computes the same.
        range: Smallest and largest possible value. For a continual-learning metric: if the scores are in [0, 1].
            Matthews and Spearman scores are in [-1, 1], so the range is wider.
        empty_cells: How the metric treats a score that does not exist.
        lower_is_better: Default: False, higher is better.
    """

    name: str
    title: str
    formula: str
    citation: str
    range: tuple[float, float]
    empty_cells: str
    lower_is_better: bool = False


def describe(metric: Description) -> dict[str, object]:
    """The description as plain data for JSON: name, title, formula, citation, range, direction, empty cells."""
    return {
        "name": metric.name,
        "title": metric.title,
        "formula": metric.formula,
        "citation": metric.citation,
        "range": list(metric.range),
        "direction": "lower is better" if metric.lower_is_better else "higher is better",
        "empty_cells": metric.empty_cells,
    }
