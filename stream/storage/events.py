"""The events of a run's ledger as typed values. `as_entry` makes the line of an event, `event_of` reads a line.

The entries of a line have the order of the fields here. The reader skips fields that a later version adds, and reads an
event of an unknown kind as an `UnknownEvent`.
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
from stream.storage.ledger import NEW_RUN, Ledger
from stream.storage.plain import ABSENT, FormatError, plain, read
from stream.storage.trials import TriedFit
from tasks.errors import InputError

RowKind = Literal["before", "evaluate", "audit"]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first event of a call. Keys and results are computed from it and from the events of the jobs.

    A call is one execution of `taskstream run`; a run that was interrupted takes several calls.

    Attributes:
        taskstream: Version of this package.
        lost: Keys of earlier events that no longer count, because their Delta is missing from the store.
        inputs: Inputs of the jobs' keys.
        overrides: Training settings that apply to all learners.
        facts: Facts about the run that the results repeat.
        encoded: Name of the folder of each encoded task in the user's cache, by task.
        config: SHA-256 of config.toml. None (default) in ledgers of earlier versions.
    """

    kind: ClassVar[str] = "run"
    taskstream: str
    lost: tuple[str, ...]
    inputs: RunInputs
    overrides: Mapping[str, Override]
    facts: LedgerFacts
    encoded: Mapping[str, str]
    config: str | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class RowEvent:
    """A finished job that evaluated cells: a row of R, or a part of one.

    Attributes:
        kind: Kind of the job.
        learner: Specification of the learner.
        arrival: Arrival of the row, from 1; 0 before training.
        key: Key of the job.
        cells: The evaluated cells, in order of arrival.
        certified: Number of certified cells of the row; None if the learner's cells cannot be certified. A certified
            cell belongs to an earlier task that has a fit and was not evaluated in this row. Its value is that of the
            cell measured when the task arrived, with the Delta of that fit. The ledger stores only the number: with
            all cells in each row, its size would grow with the square of the number of tasks.
    """

    kind: RowKind
    learner: str
    arrival: int
    key: str
    cells: tuple[Cell, ...]
    certified: int | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class FitEvent(FitResult):
    """A fit that succeeded; `cached` is true if the store already had its recipe.

    `seed` is the seed of the fit if a restart won with another seed than the run's, and `until` the epochs after which
    the kept trial paused, if successive halving has none that succeeded to its end. Not written otherwise.
    """

    kind: ClassVar[JobKind] = "fit"
    learner: str
    arrival: int
    key: str
    recipe: str
    cached: bool
    until: int | None = field(default=None, metadata=ABSENT)
    seed: int | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class FailedFitEvent(FailedFit):
    """A fit that diverged. The stream continues without this task."""

    kind: ClassVar[JobKind] = "fit"
    learner: str
    arrival: int
    key: str
    recipe: str
    cached: bool


@dataclass(frozen=True, kw_only=True)
class SearchEvent(TriedFit):
    """A trial of a learner with alternatives: a fit whose validation score the choice reads. Its Delta is never
    evaluated on test rows, unless it wins."""

    kind: ClassVar[JobKind] = "search"
    learner: str
    arrival: int
    key: str


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A cell of an isolated learner has other logits than when the task was learned. This ends the call."""

    kind: ClassVar[str] = "violation"
    learner: str
    task: str
    arrival: int
    message: str


@dataclass(frozen=True, kw_only=True)
class JobFailedEvent:
    """A job raised an exception, which ended the call; `type` is the name of the exception."""

    kind: ClassVar[str] = "failed"
    job: str
    type: str
    message: str


@dataclass(frozen=True, kw_only=True)
class End:
    """The last event of a call that finished all jobs; `seconds` is the duration of the call."""

    kind: ClassVar[str] = "end"
    seconds: float


@dataclass(frozen=True, kw_only=True)
class UnknownEvent:
    """An event that a later version wrote."""

    kind: str


Fit = FitEvent | FailedFitEvent
JobEvent = RowEvent | FitEvent | FailedFitEvent | SearchEvent
Event = Header | JobEvent | Violation | JobFailedEvent | End | UnknownEvent
Entry = Mapping[str, JsonValue]

_FIRST = ("learner", "arrival", "key", "recipe")  # the first entries in the line of a job's event


def as_entry(event: Event) -> dict[str, JsonValue]:
    """Returns an event as the JSON object of a ledger line."""
    values: dict[str, JsonValue] = plain(event)
    values.pop("kind", None)
    first = {name: values[name] for name in _FIRST if name in values} if isinstance(event, JobEvent) else {}
    return {"event": event.kind, **first, **values}


def event_of(entry: Entry) -> Event:
    """Returns the event of a ledger line.

    Raises:
        FormatError: A run does not write such a line.
    """
    match kind := entry.get("event"):
        case "before" | "evaluate" | "audit":
            return read(RowEvent, {**entry, "kind": kind}, kind)
        case "fit" if "failed" in entry:
            return read(FailedFitEvent, entry, kind)
        case "fit":
            return read(FitEvent, entry, kind)
        case "search":
            return read(SearchEvent, entry, kind)
        case "run":
            return read(Header, entry, kind)
        case "violation":
            return read(Violation, entry, kind)
        case "failed":
            return read(JobFailedEvent, entry, kind)
        case "end":
            return read(End, entry, kind)
        case str():
            return UnknownEvent(kind=kind)
    raise FormatError("event", "the name of a kind of event", kind)


def job_of(event: JobEvent) -> JobId:
    """Returns the id of the job that wrote an event."""
    return JobId.of(event.kind, event.learner, event.arrival, getattr(event, "trial", None))


def read_events(ledger: Ledger) -> list[Event]:
    """Returns the events of a ledger.

    Raises:
        InputError: The ledger has an event that a run does not write.
    """
    try:
        return [event_of(entry) for entry in ledger.events]
    except FormatError as error:
        what = "this ledger has an event that a run does not write"
        raise InputError(what, where=str(ledger.path), found=str(error), fix=NEW_RUN) from None
