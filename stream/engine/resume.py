"""Resuming: which events of a ledger still count. The engine continues from them, and verification checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from stream.storage.events import Event, FitEvent, Header, JobEvent
from stream.storage.job import Job, JobId


def latest_events(events: Iterable[Event]) -> dict[str, JobEvent]:
    """Returns the last event under each key, without fits whose Delta a later call could not find in the store.

    The header of that call names their keys, so the state at any line follows from the ledger alone.
    """
    latest: dict[str, JobEvent] = {}
    for event in events:
        if isinstance(event, JobEvent):
            latest[event.key] = event
        elif isinstance(event, Header):
            for key in event.lost:
                latest.pop(key, None)
    return latest


def finished_events(
    events: Mapping[str, JobEvent],
    jobs: Iterable[Job],
    key: Callable[[Job], str],
    stored: Callable[[str], bool] = lambda delta: True,
) -> dict[JobId, JobEvent]:
    """Returns the events that count, by job id.

    An event counts if it has the key of the job, the jobs that it needs are finished, and its Delta is in the store.

    Args:
        events: Events by key, as `latest_events` returns them.
        jobs: All jobs of the run, in plan order.
        key: Returns the key of a job (`RunInputs.key`).
        stored: Returns whether the store has a Delta, given its content id. Default: always true.
    """
    finished: dict[JobId, JobEvent] = {}
    for job in jobs:
        event = events.get(key(job))
        if event is None or any(need not in finished for need in job.needs):
            continue
        if not isinstance(event, FitEvent) or stored(event.delta):
            finished[job.id] = event
    return finished
