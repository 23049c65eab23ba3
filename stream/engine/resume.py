"""Replay: which events of a ledger still hold, for the engine that goes on from them and for whoever checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stream.storage.job import Job

Event = dict[str, Any]


def written(events: Iterable[Event]) -> dict[str, Event]:
    """The last event under each key, without those that a later call found lost: their Delta was gone from the store.

    Such a call names their keys in its "run" event, so that the state at any line follows from the ledger alone.
    """
    found: dict[str, Event] = {}
    for event in events:
        if "key" in event:
            found[event["key"]] = event
        for key in event.get("lost", ()):
            found.pop(key, None)
    return found


def replay(
    events: Mapping[str, Event],
    jobs: Iterable[Job],
    key: Callable[[Job], str],
    stored: Callable[[str], bool] = lambda delta: True,
) -> dict[str, Event]:
    """Events that hold, by job id: under the job's key, its needs finished too, and its Delta still in the store.

    Args:
        events: By key, as `written` gives them.
        key: Of a job (`RunInputs.key`).
        stored: Whether a Delta is in the store, by content id.
    """
    finished: dict[str, Event] = {}
    for job in jobs:
        event = events.get(key(job))
        if event is None or any(need not in finished for need in job.needs):
            continue
        if event.get("delta") is None or stored(event["delta"]):
            finished[job.id] = event
    return finished
