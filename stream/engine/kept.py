"""What the next call in a folder must keep: learners and arrivals with results, and the way they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from stream.engine.context import RunContext
from stream.storage.events import Event, FailedFitEvent, FitEvent, Header, JobEvent
from tasks.errors import InputError


def left_out(header: Header, events: Sequence[Event], context: RunContext) -> list[InputError]:
    """Returns an error for each kind of results in a folder that a call would drop.

    Args:
        header: Header of the last call.
        events: Events of the ledger.
    """
    other = "give another --out"
    if header.inputs.numerics == context.inputs.numerics:  # else every fit is computed again
        other += f", with --store {context.config.store_folder} to reuse the finished fits"
    done = [event for event in events if isinstance(event, JobEvent)]
    return [*_learners(header, done, context, other), *_arrivals(header, done, context, other)]


def _learners(header: Header, done: Sequence[JobEvent], context: RunContext, other: str) -> list[InputError]:
    """Learners that are left out or written in another way.

    Recipes are not compared, because another version of this package writes the same learner as another recipe.
    """
    where, now, worked = f"--out {context.config.out}", context.learners, {event.learner for event in done}
    kept = {name: _parsed(name, context) for name in header.inputs.learners if name in worked}
    missing = [name for name in kept if name not in now]
    spelt = {name: new for name in missing if (new := _same(kept[name], now)) is not None}
    what = "this call writes a learner of the run that this folder holds in another way"
    errors = [
        InputError(what, where=where, expected=written, found=name, fix=f"write it as {written!r}")
        for written, name in spelt.items()
    ]
    if gone := [name for name in missing if name not in spelt]:
        both = ",".join((*kept, *(name for name in now if name not in kept and name not in spelt.values())))
        known = all(kept[name] is not None for name in gone)
        errors.append(InputError(
            f"this call leaves out learners of the run that this folder holds: {', '.join(gone)}",
            where=where, fix=f"give --learners '{both}', or {other}" if known else other,
        ))  # fmt: skip
    return errors


def _parsed(name: str, context: RunContext) -> Learner | None:
    """Returns the learner of a name in the ledger; None if this call does not know it."""
    try:
        return parse_learner(name, context.config.training_overrides)
    except InputError:
        return None


def _same(learner: Learner | None, now: Mapping[str, Learner]) -> str | None:
    """Returns the name under which a call has a learner; None if it does not have it."""
    if learner is None:
        return None
    alike = (learner.name, learner.training)
    return next((name for name, each in now.items() if (each.name, each.training) == alike), None)


def _arrivals(header: Header, done: Sequence[JobEvent], context: RunContext, other: str) -> list[InputError]:
    """Tasks that are left out or arrive in another order."""
    config, order, now = context.config, tuple(header.inputs.data), context.stream.order
    fits = [event for event in done if isinstance(event, FitEvent | FailedFitEvent) and event.arrival <= len(order)]
    arrived = order[: max((fit.arrival for fit in fits if order[fit.arrival - 1] == fit.task), default=0)]
    if arrived == now[: len(arrived)]:
        return []
    gone = [task for task in arrived if task not in now]
    whole = ",".join(dict.fromkeys((*arrived, *now)))
    whole = f"--suite {whole} --order paper" if gone else f"--order {whole}"
    what = "has another order of tasks than the run that this folder holds; new tasks may only follow"
    if gone:
        what = f"leaves out tasks of the run that this folder holds: {', '.join(gone)}"
    return [InputError(
        f"this call {what}", where=f"--out {config.out}", expected=f"{','.join(arrived)} first",
        found=",".join(now), fix=f"give {whole}, or {other}",
    )]  # fmt: skip
