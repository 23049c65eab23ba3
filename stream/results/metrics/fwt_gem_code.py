"""Forward transfer as the GEM code computes it: the mean over all T tasks. The gain of the first task is always 0."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """(T-1)/T of `fwt_gem`. Needs the superdiagonal of R [T, T] (square evaluation) and b [T]."""
    return mean(R.diagonal(offset=1) - b[1:], over=len(R)) if len(R) > 1 else None


METRIC = Metric(
    name="fwt_gem_code",
    title="Forward transfer (GEM's code, over T)",
    formula="(1/T) sum_{i=2..T} (R[i-1,i] - b[i])",
    citation="facebookresearch/GradientEpisodicMemory metrics/metrics.py. (T-1)/T of the paper's FWT",
    range=(-1.0, 1.0),
    compute=compute,
)
