"""Backward transfer as the GEM code computes it: the mean over all T tasks. The change of the last task is always 0."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """(T-1)/T of `bwt_gem`. Needs the diagonal and the last row of R [T, T]."""
    return mean(R[-1] - R.diagonal()) if len(R) > 1 else None


METRIC = Metric(
    name="bwt_gem_code",
    title="Backward transfer (GEM's code, over T)",
    formula="(1/T) sum_{i<=T} (R[T,i] - R[i,i])",
    citation="facebookresearch/GradientEpisodicMemory metrics/metrics.py; circle-hit/SAPT score.py; "
    "liangyanshuo/gainlora score.py. (T-1)/T of the paper's BWT",
    range=(-1.0, 1.0),
    compute=compute,
)
