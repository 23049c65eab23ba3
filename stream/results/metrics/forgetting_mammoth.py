"""Forgetting as Mammoth computes it: the best score in all rows, the last one included, minus the last score."""

from __future__ import annotations

import numpy as np

from stream.results.metrics.definition import Array, Metric, mean
from stream.results.metrics.forgetting_chaudhry import forgetting_per_task


def compute(R: Array, b: Array) -> float | None:
    """Mean of max(f_j, 0) over the T-1 earlier tasks. This equals the maximum over all rows minus the last score.

    Mammoth counts a cell that was never evaluated as a score of 0. This matters only if every score of a task is
    negative, and is not done here.
    """
    return mean(np.maximum(forgetting_per_task(R)[:-1], 0.0))


METRIC = Metric(
    name="forgetting_mammoth",
    title="Forgetting (Mammoth, best of all rows)",
    formula="1/(T-1) sum_{j<T} (max_{j<=l<=T} R[l,j] - R[T,j])",
    citation="aimagelab/mammoth utils/metrics.py forgetting; PyCIL and PILOT agree. Never negative",
    range=(0.0, 1.0),
    lower_is_better=True,
    compute=compute,
)
