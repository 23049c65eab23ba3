"""Forward transfer against training alone: what the stream gives to a task on the day it is learned."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, S: Array) -> float | None:
    """Mean of the diagonal of R [T, T] minus S [T], the scores of learners trained on each task alone."""
    return mean(R.diagonal() - S)


METRIC = Metric(
    name="fwt_single_task",
    title="Forward transfer (against training alone)",
    formula="(1/T) sum_{j=1..T} (R[j,j] - S[j]), S = trained on task j alone",
    citation="Zhao et al. 2024 (SAPT), FWT. circle-hit/SAPT score.py subtracts the constant 50.94 for mean S, "
    "liangyanshuo/gainlora score.py subtracts 0",
    range=(-1.0, 1.0),
    compute=compute,
    baseline="single_task",
)
