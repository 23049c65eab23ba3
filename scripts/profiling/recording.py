"""One step of a learner, taken apart: time per operator, from the difference between a long and a short profile.

The difference leaves exactly the work of the steps: what a fit does once per epoch, or an evaluation once per call, is
in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from benchmark.clock import Moment, Spent
from benchmark.epochs import EpochClock, learner_of
from torch.profiler import ProfilerActivity, profile

from learners.backbones.backbone import Backbone, load_backbone
from learners.forward.batches import EVALUATION_TOKENS, Plan, evaluation_plan
from learners.training.fit import fit
from learners.training.predict import predict
from profiling.rows import random_task
from profiling.trace import Operators, operators
from tasks.encoded import EncodedTask

SHORT = 2  # steps of the short profile


@dataclass(frozen=True)
class Recorded:
    """The work of one epoch, or of one pass over evaluation batches.

    Attributes:
        times: Several, without the profiler.
        profiled: Several, with the profiler: their times, and what they did.
    """

    times: Sequence[Spent]
    profiled: Sequence[tuple[Spent, Operators]]


@cache
def loaded(backbone: str, dtype: Any) -> Backbone:
    """A backbone, loaded once per process. Sets the process to one thread."""
    torch.set_num_threads(1)
    return load_backbone(backbone, dtype)


def step(
    backbone: str, dtype: str, learner: str, steps: int, repetitions: int, batch_size: int, length: int
) -> dict[str, Any]:
    """Take a training step apart.

    Args:
        steps: Number of steps that the result is the mean of.
        repetitions: Epochs that are timed without the profiler. Half as many are profiled.
        length: Tokens of the longest rows.

    Returns:
        Of one step: what `difference` returns, and `flops`, those of the matrix products as `fit` counts them.
    """
    base, (short, long) = (
        loaded(backbone, dtype),
        (
            random_task(loaded(backbone, dtype).architecture.vocabulary, count * batch_size, 1, length)
            for count in (SHORT, SHORT + steps)
        ),
    )
    last = 1 + repetitions + -(-repetitions // 2)

    def fitted(epochs: int, task: EncodedTask, clock: EpochClock) -> float:
        return fit(base, learner_of(learner, epochs, batch_size), task, clock, seed=0).flops

    def epoch(task: EncodedTask) -> tuple[Recorded, float]:
        """One fit: the first epoch warms up, the next ones are timed, and the others are profiled."""
        recorders: list[profile] = []

        def between(done: int) -> None:
            if recorders:
                recorders[-1].stop()
            if 1 + repetitions <= done < last:
                recorders.append(profile(activities=[ProfilerActivity.CPU]))
                recorders[-1].start()

        clock = EpochClock(between)
        flops = fitted(last, task, clock)
        profiled = zip(clock.spent[repetitions:], map(operators, recorders), strict=True)
        return Recorded(clock.spent[:repetitions], list(profiled)), flops

    found, flops = epoch(long)
    once = fitted(1, long, EpochClock())  # it stores the output of frozen layers, too
    each = (flops - once) / (last - 1) / (SHORT + steps)
    return {**difference(found, epoch(short)[0], steps), "flops": each}


def evaluation(
    backbone: str, dtype: str, learner: str, steps: int, repetitions: int, batch_size: int, length: int
) -> dict[str, Any]:
    """Take one batch of the evaluation plan apart, as `step` does a training step. Its size is the plan's choice."""
    base = loaded(backbone, dtype)
    parsed = learner_of(learner, 0, batch_size)
    rows = (SHORT + steps) * (EVALUATION_TOKENS // length + 1) * 4 // 3  # enough for these batches
    task = random_task(base.architecture.vocabulary, batch_size, rows, length)
    delta = fit(base, parsed, task, EpochClock(), seed=0).delta
    whole = evaluation_plan(task.test).batches

    def batches(count: int) -> Recorded:
        plan = Plan(whole[-count:])

        def timed() -> Spent:
            since = Moment()
            predict(base, parsed, delta, task.test, plan)
            return since.spent()

        def profiled() -> tuple[Spent, Operators]:
            with profile(activities=[ProfilerActivity.CPU]) as recorder:
                spent = timed()
            return spent, operators(recorder)

        timed()
        return Recorded([timed() for _ in range(repetitions)], [profiled() for _ in range(-(-repetitions // 2))])

    return difference(batches(SHORT + steps), batches(SHORT), steps)


def difference(long: Recorded, short: Recorded, steps: int) -> dict[str, Any]:
    """The work of one step, as plain values: the difference of two recordings, divided by their difference in steps.

    Of several recordings the shortest counts, because other load on the machine only makes them longer.

    Returns:
        `seconds`, `cpu`: wall clock and CPU seconds without the profiler. `operators`: [group, name, calls, CPU
        seconds] each, without those of the operators that it calls.
    """

    def time(clock: Callable[[Spent], float]) -> float:
        return (min(map(clock, long.times)) - min(map(clock, short.times))) / steps

    after, before = _least(long), _least(short)
    rows = []
    for (group, name), (calls, seconds) in after.items():
        calls_before, seconds_before = before.get((group, name), (0, 0.0))
        rows.append([group, name, (calls - calls_before) / steps, (seconds - seconds_before) / steps])
    return {
        "seconds": time(lambda spent: spent.seconds),
        "cpu": time(lambda spent: spent.cpu),
        "operators": rows,
    }


def _least(recorded: Recorded) -> Operators:
    """The operators of the recording with the least CPU time. The profiler only has the wall clock, so their times are
    scaled to CPU time."""
    spent, found = min(recorded.profiled, key=lambda each: each[0].cpu)
    running = spent.cpu / spent.seconds
    return {key: (calls, running * seconds) for key, (calls, seconds) in found.items()}
