"""Forward transfer against single-task training: how much the stream improves a task when it is learned."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, S: Array) -> float | None:
    """Mean of the diagonal of R [T, T] minus S [T]. S[j] is the score of a learner trained on task j alone."""
    return mean(R.diagonal() - S)


METRIC = Metric(
    name="fwt_single_task",
    title="Forward transfer (against single-task training)",
    formula="(1/T) sum_{j=1..T} (R[j,j] - S[j]), S = trained on task j alone",
    citation="Zhao et al. 2024 (SAPT), FWT. circle-hit/SAPT score.py subtracts the constant 50.94 for mean S, "
    "liangyanshuo/gainlora score.py subtracts 0",
    range=(-1.0, 1.0),
    compute=compute,
    baseline="single_task",
)
