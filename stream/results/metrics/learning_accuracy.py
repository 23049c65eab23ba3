"""Learning accuracy: the mean score of each task right after it is learned."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean of the diagonal of R [T, T]."""
    return mean(R.diagonal())


METRIC = Metric(
    name="learning_accuracy",
    title="Learning accuracy (LA)",
    formula="(1/T) sum_{j=1..T} R[j,j]",
    citation="Riemer et al. 2019 (MER), LA; equals FWT of liangyanshuo/gainlora score.py, which subtracts a "
    "reference of 0",
    range=(0.0, 1.0),
    compute=compute,
)
