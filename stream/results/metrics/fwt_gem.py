"""Forward transfer as the GEM paper defines it: how much earlier tasks improve a task before it is learned."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, b: Array) -> float | None:
    """Mean gain over b [T] just before a task is learned. Needs the superdiagonal of R [T, T] (square evaluation)."""
    return mean(R.diagonal(offset=1) - b[1:]) if len(R) > 1 else None


METRIC = Metric(
    name="fwt_gem",
    title="Forward transfer (GEM, over T-1)",
    formula="1/(T-1) sum_{i=2..T} (R[i-1,i] - b[i])",
    citation="Lopez-Paz & Ranzato 2017 (GEM), section 2, FWT; aimagelab/mammoth utils/metrics.py forward_transfer. "
    "Continuum leaves b out",
    range=(-1.0, 1.0),
    compute=compute,
)
