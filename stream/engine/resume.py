"""Resuming: which events of a ledger still count. The engine continues from them, and verification checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from stream.storage.events import Event, Fit, FitEvent, Header, JobEvent, RowEvent, SearchEvent
from stream.storage.fits import PASSING
from stream.storage.job import Job, JobId
from stream.storage.store import Store


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


def counts_in(store: Store) -> Callable[[Fit | SearchEvent], bool]:
    """Returns a function that says whether a fit or a trial of an earlier call still counts in the next call.

    The record of a fit and its Delta must be in the store; of a trial only the score is needed, which the ledger has.
    One that failed for want of memory or because its worker ended does not count, because it may succeed now.
    """

    def counts(event: Fit | SearchEvent) -> bool:
        if isinstance(event, FitEvent):
            return store.holds(event.recipe, event.delta)
        return event.failed is None or event.failed.type not in PASSING

    return counts


def finished_events(
    events: Mapping[str, JobEvent],
    jobs: Iterable[Job],
    key: Callable[[Job], str],
    valid: Callable[[Fit | SearchEvent], bool] = lambda event: True,
) -> dict[JobId, JobEvent]:
    """Returns the events that count, by job id.

    An event counts if it has the key of the job, the jobs that it needs are finished, and its fit or trial is valid.

    Args:
        events: Events by key, as `latest_events` returns them.
        jobs: All jobs of the run, in plan order.
        key: Returns the key of a job (`RunInputs.key`).
        valid: Returns whether a fit or a trial still counts. Default: always true.
    """
    finished: dict[JobId, JobEvent] = {}
    for job in jobs:
        event = events.get(key(job))
        if event is None or any(need not in finished for need in job.needs):
            continue
        if isinstance(event, RowEvent) or valid(event):
            finished[job.id] = event
    return finished
