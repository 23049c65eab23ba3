"""What a job leaves for the run, and what of it later jobs take; both cross to and from worker processes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream.storage.cell import Score
from stream.storage.events import JobEvent
from stream.storage.fits import FailedFit, FailedTask, FitResult, LearnedTask
from stream.storage.plain import read


@dataclass(frozen=True)
class Fitted:
    """A fit.

    Attributes:
        recipe: Id of all that it rests on.
        cached: Whether it was found in the store.
    """

    recipe: str
    fit: FitResult | FailedFit
    cached: bool


@dataclass(frozen=True)
class Scored:
    """Scores of the tasks of a job."""

    cells: tuple[Score, ...]


JobResult = Fitted | Scored
Needed = LearnedTask | FailedTask | None  # None of a row: that it is there


def needed(result: JobResult | JobEvent) -> Needed:
    """What later jobs take of a result, or of the event of an earlier call."""
    found = result.fit if isinstance(result, Fitted) else result
    if isinstance(found, LearnedTask):
        return found.reference
    if isinstance(found, FailedTask):
        return FailedTask(task=found.task, failed=found.failed, last_good=found.last_good)
    return None


def read_result(value: Mapping[str, Any]) -> JobResult:
    """A result as a worker sends it: `plain` of it."""
    if "cells" in value:
        return read(Scored, value)
    given = value["fit"]
    fit = read(FailedFit, given) if "failed" in given else read(FitResult, given)
    return Fitted(value["recipe"], fit, value["cached"])


def read_needed(value: Mapping[str, Any] | None) -> Needed:
    """What a worker is sent: `plain` of it."""
    if value is None:
        return None
    return read(FailedTask, value) if "failed" in value else read(LearnedTask, value)
