"""Average incremental accuracy: the mean of the average accuracy after each arrival."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean over k of the mean of R[k, 1..k]. Needs the whole lower triangle of R [T, T]."""
    after_each = [mean(R[k, : k + 1]) for k in range(len(R))]
    return mean(float("nan") if value is None else value for value in after_each)


METRIC = Metric(
    name="average_incremental_accuracy",
    title="Average incremental accuracy (AIA)",
    formula="(1/T) sum_{k=1..T} (1/k) sum_{j<=k} R[k,j]",
    citation="Rebuffi et al. 2017 (iCaRL), average incremental accuracy, here over tasks of equal weight",
    range=(0.0, 1.0),
    compute=compute,
)
