"""Means over seeds with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean and the half width of its 95 % interval by Student's t with n - 1 degrees of freedom; None for n < 2."""

    mean: float
    half: float | None


def interval(values: Sequence[float]) -> Interval:
    """Of independent values [n], n > 0."""
    from scipy.stats import t

    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Interval(mean, float(t.ppf((1 + LEVEL) / 2, n - 1)) * deviation / math.sqrt(n))
