"""Average accuracy: the mean score of all tasks at the end."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean of the last row of R [T, T]."""
    return mean(R[-1]) if len(R) else None


METRIC = Metric(
    name="average_accuracy",
    title="Average accuracy (ACC)",
    formula="(1/T) sum_{j=1..T} R[T,j]",
    citation="Lopez-Paz & Ranzato 2017 (GEM), section 2, ACC; facebookresearch/GradientEpisodicMemory "
    "metrics/metrics.py. The same number is OP_T in TRACE (Wang et al. 2023) and AP in SAPT (Zhao et al. 2024)",
    range=(0.0, 1.0),
    compute=compute,
)
