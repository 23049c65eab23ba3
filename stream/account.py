"""The account of a run: what a learner has cost and what must be kept, after each arrival, from the events alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from learners.learner import Learner
from stream.cost import TaskCost, growth, total
from stream.gaps import good

Event = Mapping[str, Any]


def fits_of(order: Sequence[str], name: str, events: Mapping[str, Event]) -> list[Event]:
    """Events of a learner's fits in order of arrival, failed ones too, as far as they are done without a gap."""
    done: list[Event] = []
    for arrival in range(1, len(order) + 1):
        event = events.get(f"fit/{name}/{arrival}")
        if event is None:
            break
        done.append(event)
    return done


def bytes_kept(learner: Learner, fits: Sequence[Event]) -> list[int]:
    """Bytes on disk of what each task adds to what must be kept; of good fits, in their order."""
    new, stays = _bytes(learner, fits)
    return [*stays[:-1], *new[-1:]]


def bytes_after(learner: Learner, fits: Sequence[Event]) -> list[int]:
    """Bytes that must be kept once so many fits are good, from none on: the sums of `bytes_kept` as tasks arrive."""
    new, stays = _bytes(learner, fits)
    return [0, *(before + last for before, last in zip(accumulate(stays, initial=0), new, strict=False))]


def _bytes(learner: Learner, fits: Sequence[Event]) -> tuple[list[int], list[int]]:
    """Bytes that the Delta of each fit adds while it is the last, and once there are later ones.

    As parameters count (`stream.cost.growth`): a Delta for each task; frozen-shared: what tasks have in common once, 4
    bytes for each of its scalars, which leaves header and indices with every task; sequential: the last body holds for
    all tasks, so of an earlier one the head stays. What a strategy keeps beside its model, it has once: with the last.
    """
    sizes: list[int] = [fit["bytes"] + fit.get("memory_bytes", 0) for fit in fits]
    if not learner.permanent:
        return sizes, [fit["head_bytes"] for fit in fits]
    own = [*sizes[:1], *(fit["bytes"] - 4 * fit.get("common_parameters", 0) for fit in fits[1:])]
    return own, own


def cost_of(fit: Event) -> TaskCost:
    """The parameters that a finished fit adds, zeros pruned."""
    added = fit["added_parameters"]
    return TaskCost(fit["kept_parameters"] - added, added, fit["head_parameters"], fit.get("common_parameters", 0))


def account(
    order: Sequence[str], name: str, learner: Learner, backbone: int, events: Mapping[str, Event]
) -> list[dict[str, Any]]:
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
    counts = accumulate("failed" not in fit for fit in fits)
    flops = accumulate(fit["flops"] for fit in fits)
    seconds = accumulate(fit["seconds"] for fit in fits)
    peaks = accumulate((fit["peak_memory_bytes"] for fit in fits), max)
    evaluated = sum(cell["seconds"] for cell in events.get(f"before/{name}/0", {}).get("cells", ()))
    entries = []
    for arrival, task in enumerate(order[: len(fits)], start=1):
        rows = (events.get(f"{kind}/{name}/{arrival}", {}) for kind in ("evaluate", "audit"))
        evaluated += sum(cell["seconds"] for row in rows for cell in row.get("cells", ()))
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
