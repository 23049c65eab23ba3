"""Forgetting as RWalk defines it: the best score before the last row, minus the last score."""

from __future__ import annotations

import numpy as np

from stream.results.forgetting import Forgetting
from stream.results.metrics.definition import Array, Metric, mean


def forgetting_per_task(R: Array) -> Array:
    """Computes f_j = (max over j <= l < T of R[l, j]) - R[T, j]: how much task j lost since its best score.

    Rows before the arrival of task j never count, so evaluating tasks before they arrive does not change forgetting.
    Cells that were not evaluated are skipped.

    Returns:
        [T], in the order of the tasks. Negative if the last score is the best. NaN for the last task, which cannot be
        forgotten yet, and for a task without R[T, j] or without any of R[j..T-1, j].
    """
    scores = Forgetting(len(R))
    for arrival, row in enumerate(R, start=1):
        scores.add(np.arange(arrival), row[:arrival])
    return scores.per_task


def compute(R: Array, b: Array) -> float | None:
    """Mean of `forgetting_per_task` over the T-1 earlier tasks. Needs the lower triangle of R [T, T]."""
    return mean(forgetting_per_task(R)[:-1])


METRIC = Metric(
    name="forgetting_chaudhry",
    title="Forgetting (Chaudhry, best before the last row)",
    formula="F_T = 1/(T-1) sum_{j<T} (max_{j<=l<T} R[l,j] - R[T,j])",
    citation="Chaudhry et al. 2018 (RWalk, ECCV), forgetting measure, there with the maximum over all l < T; here from "
    "the task's own arrival on, so that evaluating tasks before they arrive does not change it. circle-hit/SAPT "
    "score.py Fgt. Negative when old tasks improve",
    range=(-1.0, 1.0),
    lower_is_better=True,
    compute=compute,
)
