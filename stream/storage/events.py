"""The events of a run's ledger as typed values. `as_entry` and `event_of` are the way to the lines and back.

Entries of a line stand in the order of the fields here. What a later version adds to an event is left out, and an event
of a kind unknown here is an `UnknownEvent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import JsonValue

from stream.storage.cell import Cell
from stream.storage.facts import LedgerFacts, Override
from stream.storage.fits import FailedFit, FitResult
from stream.storage.job import JobId, JobKind
from stream.storage.keys import RunInputs
from stream.storage.ledger import AFRESH, Ledger
from stream.storage.plain import ABSENT, NotOurs, plain, read
from tasks.errors import InputError

RowKind = Literal["before", "evaluate", "audit"]


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The beginning of a call: all that keys and results derive from, beside the jobs' events.

    Attributes:
        lost: Keys of events that no longer hold, as a Delta is gone from the store.
        overrides: Training settings for all learners.
        encoded: Folder of each encoded task in the user's cache.
    """

    kind: ClassVar[str] = "run"
    taskstream: str
    lost: tuple[str, ...]
    inputs: RunInputs
    overrides: Mapping[str, Override]
    facts: LedgerFacts
    encoded: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RowEvent:
    """A finished job that scored.

    Attributes:
        cells: Those that were run, in order of arrival.
        certified: Where a learner is certified, how many tasks learned before were not run: all the others, but for
            those whose fit failed. Each holds the cell measured on the day it arrived, under the Delta of that day's
            fit. To write them out again with every row would fill the ledger with the square of the tasks.
    """

    kind: RowKind
    learner: str
    arrival: int
    key: str
    cells: tuple[Cell, ...]
    certified: int | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class FitEvent(FitResult):
    """A good fit; `cached` if its recipe was found in the store."""

    kind: ClassVar[JobKind] = "fit"
    learner: str
    arrival: int
    key: str
    recipe: str
    cached: bool


@dataclass(frozen=True, kw_only=True)
class FailedFitEvent(FailedFit):
    """A fit that diverged: the stream goes on without its task."""

    kind: ClassVar[JobKind] = "fit"
    learner: str
    arrival: int
    key: str
    recipe: str
    cached: bool


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A cell of an isolated learner whose logits were not those of the day the task was learned; it ended the call."""

    kind: ClassVar[str] = "violation"
    learner: str
    task: str
    arrival: int
    message: str


@dataclass(frozen=True, kw_only=True)
class JobFailedEvent:
    """The end of a call by a job that could not be done; `type` names the exception."""

    kind: ClassVar[str] = "failed"
    job: str
    type: str
    message: str


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of a call that did all."""

    kind: ClassVar[str] = "end"
    seconds: float


@dataclass(frozen=True, kw_only=True)
class UnknownEvent:
    """An event of a version to come."""

    kind: str


Fit = FitEvent | FailedFitEvent
JobEvent = RowEvent | FitEvent | FailedFitEvent
Event = Opening | JobEvent | Violation | JobFailedEvent | End | UnknownEvent
Entry = Mapping[str, JsonValue]

_FIRST = ("learner", "arrival", "key", "recipe")  # of a job's event


def as_entry(event: Event) -> dict[str, JsonValue]:
    """An event as a line of the ledger."""
    values: dict[str, JsonValue] = plain(event)
    values.pop("kind", None)
    first = {name: values[name] for name in _FIRST if name in values} if isinstance(event, JobEvent) else {}
    return {"event": event.kind, **first, **values}


def event_of(entry: Entry) -> Event:
    """The event of a line.

    Raises:
        NotOurs: It is not what a run writes.
    """
    match kind := entry.get("event"):
        case "before" | "evaluate" | "audit":
            return read(RowEvent, {**entry, "kind": kind}, kind)
        case "fit" if "failed" in entry:
            return read(FailedFitEvent, entry, kind)
        case "fit":
            return read(FitEvent, entry, kind)
        case "run":
            return read(Opening, entry, kind)
        case "violation":
            return read(Violation, entry, kind)
        case "failed":
            return read(JobFailedEvent, entry, kind)
        case "end":
            return read(End, entry, kind)
        case str():
            return UnknownEvent(kind=kind)
    raise NotOurs("event", "the name of a kind of event", kind)


def job_of(event: JobEvent) -> JobId:
    """Id of the job that an event is of."""
    return JobId.of(event.kind, event.learner, event.arrival)


def read_events(ledger: Ledger) -> list[Event]:
    """The events of a ledger.

    Raises:
        InputError: One is not what a run writes.
    """
    try:
        return [event_of(entry) for entry in ledger.events]
    except NotOurs as error:
        what, found = "an event of this ledger is not what a run writes", str(error)
        raise InputError(what, where=str(ledger.path), found=found, fix=AFRESH) from None
