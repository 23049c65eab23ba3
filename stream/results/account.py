"""The cost of a learner after each arrival, and the size of what must be kept. Computed from the events alone."""

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
    """The cost of a learner up to one arrival: an entry of `cost.after_each_arrival` in results.json."""

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
    """Bytes on disk that each task adds to what must be kept. One number per fit, in the order of `fits`.

    The rules are those of the parameters (`growth`):

    * isolated: each task adds its whole Delta.
    * frozen-shared: the values that all tasks share count once, with the first task: 4 bytes each. The header and the
      indices of a Delta count with every task.
    * sequential: the last body serves all tasks. An earlier task adds its head only, and nothing if the last Delta
      holds a newer copy of that head. The memory of a strategy counts once, with the last task.

    Args:
        fits: Fits that did not fail.
    """
    if learner.keeps_task_weights:
        return [fit.bytes - (4 * fit.common_parameters if place else 0) for place, fit in enumerate(fits)]
    newer = heads_of_others(fits[-1].digests) if fits else ()
    heads = [0 if fit.task in newer else fit.head_bytes for fit in fits[:-1]]
    return [*heads, *(fit.bytes + (fit.memory_bytes or 0) for fit in fits[-1:])]


def bytes_after(learner: Learner, fits: Sequence[FitResult]) -> list[int]:
    """Bytes that must be kept after 0, 1, ..., len(fits) fits: the sums of `bytes_kept` as tasks arrive."""
    if learner.keeps_task_weights:
        return [*accumulate(bytes_kept(learner, fits), initial=0)]
    return [sum(bytes_kept(learner, fits[:count])) for count in range(len(fits) + 1)]


def cost_of(fit: FitResult) -> TaskCost:
    """The parameters that a finished fit adds. Pruned zeros do not count."""
    added = fit.added_parameters
    return TaskCost(fit.kept_parameters - added, added, fit.head_parameters, fit.common_parameters)


def account(order: Sequence[str], name: str, learner: Learner, backbone: int, events: Finished) -> list[AccountEntry]:
    """Returns one entry for each finished fit. Times, FLOPs and bytes are sums since the stream began.

    A failed fit adds its times and FLOPs. It adds nothing that must be kept.

    * `parameters`: parameters that must be kept, with backbone and heads, without pruned zeros.
    * `growth`: the same in multiples of the backbone; `growth_without_heads` leaves the heads out.
    * `bytes`: stored bytes of all Deltas that must be kept, and of the memory of a strategy, without the backbone.
    * `train_flops`: floating point operations of the matrix products of all training steps.
    * `train_seconds`, `evaluate_seconds`: wall clock.
    * `peak_memory_bytes`: highest resident memory of the training process in all fits so far, with libraries and
      backbone.

    Args:
        order: Tasks in order of arrival.
        name: The learner's name in the run.
        backbone: Number of parameters of the backbone.
        events: The valid event of each finished job, by job id.
    """
    fits = fits_of(order, name, events)
    kept = good(fits)
    # Growth and bytes after n good fits (n = 0, 1, ...), and the number of good fits up to each arrival.
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
