"""One step of a learner, taken apart: time per operator, from the difference between a long and a short profile.

The difference leaves exactly the work of the steps: what a fit does once per epoch, or an evaluation once per call, is
in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from statistics import median
from typing import Any, NamedTuple

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
PRODUCTS = 5  # matrix products of which the fastest is the limit
EPOCH = 0.2  # seconds that an epoch takes at least: chance has a large share of less


class Recorded(NamedTuple):
    """The work of one epoch, or of one pass over evaluation batches, done twice in a row.

    Attributes:
        plain: Its time without the profiler.
        profiled: Its time with the profiler.
        operators: What it did, with the wall clock of each operator.
    """

    plain: Spent
    profiled: Spent
    operators: Operators


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
        steps: Number of steps that the result is the mean of. There are more if they are very short.
        repetitions: Epochs that are timed without the profiler. As many are profiled, in turn with them.
        length: Tokens of the longest rows.

    Returns:
        Of one step: what `difference` returns, and `flops`, those of the matrix products as `fit` counts them.
    """
    base, last = loaded(backbone, dtype), 1 + 2 * repetitions

    def task_of(count: int) -> EncodedTask:
        return random_task(base.architecture.vocabulary, count * batch_size, 1, length)

    def fitted(epochs: int, task: EncodedTask, clock: EpochClock) -> float:
        return fit(base, learner_of(learner, epochs, batch_size), task, clock, seed=0).flops

    def epochs(task: EncodedTask) -> tuple[list[Recorded], float]:
        """One fit, and its FLOPs. Its first epoch warms up; of the others, each second one is profiled."""
        recorders: list[profile] = []

        def between(done: int) -> None:
            if done % 2 == 0:
                recorders.append(profile(activities=[ProfilerActivity.CPU]))
                recorders[-1].start()
            elif recorders:
                recorders[-1].stop()

        clock = EpochClock(between)
        flops = fitted(last, task, clock)
        found = zip(clock.spent[::2], clock.spent[1::2], map(operators, recorders), strict=True)
        return [Recorded(*each) for each in found], flops

    short, first = task_of(SHORT), EpochClock()
    fitted(3, short, first)
    steps = max(steps, round(EPOCH * SHORT / first.spent[-1].cpu))
    long = task_of(SHORT + steps)
    found, flops = epochs(long)
    once = fitted(1, long, EpochClock())  # it stores the output of frozen layers, too
    each = (flops - once) / (last - 1) / (SHORT + steps)
    return {**difference(found, epochs(short)[0], steps), "flops": each}


def limit(dtype: str, square: int) -> dict[str, float]:
    """The best FLOPs per CPU second of products of square matrices.

    Args:
        square: Their number of rows.
    """
    torch.set_num_threads(1)
    a = torch.randn(square, square).to(getattr(torch, dtype))
    out = torch.empty_like(a)
    times = []
    for _ in range(PRODUCTS):
        since = Moment()
        torch.mm(a, a, out=out)
        times.append(since.spent().cpu)
    return {"rate": 2.0 * square**3 / min(times)}


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

    def batches(count: int) -> list[Recorded]:
        plan = Plan(whole[-count:])

        def timed() -> Spent:
            since = Moment()
            predict(base, parsed, delta, task.test, plan)
            return since.spent()

        def recorded() -> Recorded:
            plain = timed()
            with profile(activities=[ProfilerActivity.CPU]) as recorder:
                profiled = timed()
            return Recorded(plain, profiled, operators(recorder))

        timed()
        return [recorded() for _ in range(repetitions)]

    return difference(batches(SHORT + steps), batches(SHORT), steps)


def difference(long: Sequence[Recorded], short: Sequence[Recorded], steps: int) -> dict[str, Any]:
    """The work of one step, as plain values: the difference of two recordings, divided by their difference in steps.

    Returns:
        `seconds`, `cpu`: wall clock and CPU seconds without the profiler, the least of several: other load on the
        machine only makes them longer. `operators`: [group, name, calls, CPU seconds] each, without those of the
        operators that it calls.
    """

    def least(clock: Callable[[Spent], float]) -> float:
        return (min(clock(each.plain) for each in long) - min(clock(each.plain) for each in short)) / steps

    before, rows = usual(short), []
    for (group, name), (calls, seconds) in usual(long).items():
        calls_before, seconds_before = before.get((group, name), (0, 0.0))
        rows.append([group, name, (calls - calls_before) / steps, (seconds - seconds_before) / steps])
    return {
        "seconds": least(lambda spent: spent.seconds),
        "cpu": least(lambda spent: spent.cpu),
        "operators": rows,
    }


def usual(recorded: Sequence[Recorded]) -> Operators:
    """Calls and CPU seconds of each operator, the median of several recordings.

    The profiler only has the wall clock, so times are first scaled to CPU time. They are then scaled to the speed of
    the fastest plain repetition, by the one just before them: other load slows both.
    """
    fastest = min(each.plain.cpu for each in recorded)
    found: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    for each in recorded:
        scale = each.profiled.cpu / each.profiled.seconds * fastest / each.plain.cpu
        for key, (calls, seconds) in each.operators.items():
            found[key].append((calls, scale * seconds))
    return {
        key: (round(median(calls for calls, _ in uses)), median(seconds for _, seconds in uses))
        for key, uses in found.items()
        if len(uses) == len(recorded)
    }
