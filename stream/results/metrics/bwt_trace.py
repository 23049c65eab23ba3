"""Backward transfer as TRACE prints it: the sum of the T-1 changes, divided by T."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """(T-1)/T of `bwt_gem`. Needs the diagonal and the last row of R [T, T]."""
    return mean(R[-1, :-1] - R.diagonal()[:-1], over=len(R)) if len(R) > 1 else None


METRIC = Metric(
    name="bwt_trace",
    title="Backward transfer (TRACE, over T)",
    formula="(1/T) sum_{i<T} (R[T,i] - R[i,i])",
    citation="Wang et al. 2023 (TRACE), BWT (denominator from a secondary source); CoIN (Chen et al. 2024) divides by "
    "T too. The same number as bwt_gem_code",
    range=(-1.0, 1.0),
    compute=compute,
)
