"""Resuming: which events of a ledger still count, for the engine that goes on from them and for whoever checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from stream.storage.events import Event, FitEvent, Header, JobEvent
from stream.storage.job import Job, JobId


def written(events: Iterable[Event]) -> dict[str, JobEvent]:
    """The last event under each key, without those that a later call found lost: their Delta was gone from the store.

    Such a call names their keys in its header, so that the state at any line follows from the ledger alone.
    """
    found: dict[str, JobEvent] = {}
    for event in events:
        if isinstance(event, JobEvent):
            found[event.key] = event
        elif isinstance(event, Header):
            for key in event.lost:
                found.pop(key, None)
    return found


def replay(
    events: Mapping[str, JobEvent],
    jobs: Iterable[Job],
    key: Callable[[Job], str],
    stored: Callable[[str], bool] = lambda delta: True,
) -> dict[JobId, JobEvent]:
    """Events that count, by job id: under the job's key, its needs finished too, and its Delta still in the store.

    Args:
        events: By key, as `written` gives them.
        key: Of a job (`RunInputs.key`).
        stored: Whether a Delta is in the store, by content id.
    """
    finished: dict[JobId, JobEvent] = {}
    for job in jobs:
        event = events.get(key(job))
        if event is None or any(need not in finished for need in job.needs):
            continue
        if not isinstance(event, FitEvent) or stored(event.delta):
            finished[job.id] = event
    return finished
