"""Forgetting as Avalanche computes it: first score minus last score."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean of first score minus last score of the earlier tasks: exactly -`bwt_gem`. R is [T, T]."""
    return mean(R.diagonal()[:-1] - R[-1, :-1]) if len(R) > 1 else None


METRIC = Metric(
    name="forgetting_avalanche",
    title="Forgetting (Avalanche, first minus last)",
    formula="1/(T-1) sum_{j<T} (R[j,j] - R[T,j])",
    citation="ContinualAI/avalanche avalanche/evaluation/metrics/forgetting_bwt.py StreamForgetting",
    range=(-1.0, 1.0),
    lower_is_better=True,
    compute=compute,
)
