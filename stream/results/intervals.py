"""Means over seeds or tasks, with their 95 % confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 0.95


class Interval(NamedTuple):
    """A mean of n values, and `half`, the half width of its 95 % interval by Student's t with n - 1 degrees of freedom.

    `half` is None for n < 2.
    """

    mean: float
    half: float | None
    n: int

    def points(self, sign: bool = False) -> str:
        """Returns the interval in points (x100): `61.2 ±0.4`. A plain `0` is exactly zero."""
        if self.mean == 0 and not self.half:
            return "0"
        mean = f"{100 * self.mean:{'+' if sign else ''}.1f}"
        return mean if self.half is None else f"{mean} ±{100 * self.half:.1f}"

    def verdict(self, low: float | None, high: float | None) -> str:
        """Returns `holds` if the whole interval lies in [low, high], `fails` if none of it does, and `open` otherwise.

        None as `low` or `high` means that there is no such bound.
        """
        half = math.inf if self.half is None else self.half
        least, most = self.mean - half, self.mean + half
        if (low is None or least >= low) and (high is None or most <= high):
            return "holds"
        return "fails" if (low is not None and most < low) or (high is not None and least > high) else "open"


def interval(values: Sequence[float]) -> Interval:
    """Returns the mean and the interval of independent values [n], n > 0."""
    from scipy.stats import t

    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None, n)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    return Interval(mean, float(t.ppf((1 + LEVEL) / 2, n - 1)) * deviation / math.sqrt(n), n)
