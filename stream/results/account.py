"""The account of a run: what a learner has cost and what must be kept, after each arrival, from the events alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TypedDict

from learners.delta.delta import heads_of_others
from learners.specification.learner import Learner
from stream.results.growth import TaskCost, growth, total
from stream.storage.events import FitEvent
from stream.storage.finished import Finished, cells_of, fits_of, good
from stream.storage.fits import FitResult


class AccountEntry(TypedDict):
    """What a learner has cost after an arrival: an entry of `cost.after_each_arrival` in results.json."""

    arrival: int
    task: str
    growth: float
    growth_without_heads: float
    parameters: int
    bytes: int
    train_flops: float
    train_seconds: float
    evaluate_seconds: float
    peak_memory_bytes: int


def bytes_kept(learner: Learner, fits: Sequence[FitResult]) -> list[int]:
    """Bytes on disk of what each task adds to what must be kept; of good fits, in their order.

    As parameters count (`growth`): a Delta for each task; frozen-shared: what tasks have in common once, 4
    bytes for each of its scalars, which leaves header and indices with every task; sequential: the last body holds for
    all tasks, so of an earlier one the head stays, unless the last Delta holds a newer one. What a strategy keeps
    beside its model, it has once: with the last.
    """
    if learner.keeps_task_weights:
        return [fit.bytes - (4 * fit.common_parameters if place else 0) for place, fit in enumerate(fits)]
    newer = heads_of_others(fits[-1].digests) if fits else ()
    heads = [0 if fit.task in newer else fit.head_bytes for fit in fits[:-1]]
    return [*heads, *(fit.bytes + (fit.memory_bytes or 0) for fit in fits[-1:])]


def bytes_after(learner: Learner, fits: Sequence[FitResult]) -> list[int]:
    """Bytes that must be kept once so many fits are good, from none on: the sums of `bytes_kept` as tasks arrive."""
    if learner.keeps_task_weights:
        return [*accumulate(bytes_kept(learner, fits), initial=0)]
    return [sum(bytes_kept(learner, fits[:count])) for count in range(len(fits) + 1)]


def cost_of(fit: FitResult) -> TaskCost:
    """The parameters that a finished fit adds, zeros pruned."""
    added = fit.added_parameters
    return TaskCost(fit.kept_parameters - added, added, fit.head_parameters, fit.common_parameters)


def account(order: Sequence[str], name: str, learner: Learner, backbone: int, events: Finished) -> list[AccountEntry]:
    """One entry for each finished fit; times, FLOPs and bytes are sums since the stream began.

    A fit that failed adds its times and FLOPs, and nothing that must be kept.

    * `parameters`, `growth`: what must be kept, backbone and heads included, zeros pruned; as a number, and in
      multiples of the backbone (`backbone` parameters); `growth_without_heads` leaves heads out.
    * `bytes`: of what must be kept of Deltas on disk, the backbone not included, and of a strategy's own memory.
    * `train_flops`: matrix products of all training steps. `train_seconds`, `evaluate_seconds`: wall clock.
    * `peak_memory_bytes`: highest resident memory of the process that fitted, over the fits so far; libraries and
      backbone included.
    """
    fits = fits_of(order, name, events)
    kept = good(fits)
    # What is kept after n good fits, from n = 0 on, and how many of the fits up to each arrival were good.
    with_heads, without = (
        (total(learner, backbone, 0, 0), *growth(learner, backbone, [cost_of(fit) for fit in kept], heads=heads))
        for heads in (True, False)
    )
    sizes = bytes_after(learner, kept)
    counts = accumulate(isinstance(fit, FitEvent) for fit in fits)
    flops = accumulate(fit.flops for fit in fits)
    seconds = accumulate(fit.seconds for fit in fits)
    peaks = accumulate((fit.peak_memory_bytes for fit in fits), max)
    evaluated = sum(cell.seconds for cell in cells_of(events, "before", name, 0))
    entries: list[AccountEntry] = []
    for arrival, task in enumerate(order[: len(fits)], start=1):
        rows = (cells_of(events, kind, name, arrival) for kind in ("evaluate", "audit"))
        evaluated += sum(cell.seconds for cells in rows for cell in cells)
        count = next(counts)
        entries.append(
            {
                "arrival": arrival,
                "task": task,
                "growth": with_heads[count],
                "growth_without_heads": without[count],
                "parameters": round(with_heads[count] * backbone),
                "bytes": sizes[count],
                "train_flops": next(flops),
                "train_seconds": next(seconds),
                "evaluate_seconds": evaluated,
                "peak_memory_bytes": next(peaks),
            }
        )
    return entries
