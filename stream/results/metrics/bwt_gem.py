"""Backward transfer as the GEM paper defines it: the mean over the T-1 tasks that can change."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean of last score minus first score of the earlier tasks. Needs the diagonal and the last row of R [T, T]."""
    return mean(R[-1, :-1] - R.diagonal()[:-1]) if len(R) > 1 else None


METRIC = Metric(
    name="bwt_gem",
    title="Backward transfer (GEM, over T-1)",
    formula="1/(T-1) sum_{i<T} (R[T,i] - R[i,i])",
    citation="Lopez-Paz & Ranzato 2017 (GEM), section 2, BWT; aimagelab/mammoth utils/metrics.py backward_transfer",
    range=(-1.0, 1.0),
    compute=compute,
)
