"""Intransigence: how much worse the last task is learned in the stream than by joint training."""

from __future__ import annotations

from stream.results.metrics.definition import Array, Metric, mean


def compute(R: Array, joint: Array) -> float | None:
    """`joint[T]` - R[T, T]. `joint[T]` is the score of the last task after training on all T tasks together."""
    return mean([joint[-1] - R[-1, -1]]) if len(R) else None


METRIC = Metric(
    name="intransigence_chaudhry",
    title="Intransigence (Chaudhry)",
    formula="I_T = a*_T - R[T,T], a*_T = score on task T after joint training on tasks 1..T",
    citation="Chaudhry et al. 2018 (RWalk, ECCV), intransigence measure",
    range=(-1.0, 1.0),
    lower_is_better=True,
    compute=compute,
    baseline="joint",
)
