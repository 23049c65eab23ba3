"""The result of a job, and the part of it that later jobs need. Worker processes send and receive both as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream.storage.cell import Cell
from stream.storage.events import JobEvent
from stream.storage.fits import FailedFit, FailedTask, FitResult, LearnedTask
from stream.storage.plain import read


@dataclass(frozen=True)
class Fitted:
    """The result of a fit job.

    Attributes:
        recipe: Id of the recipe, the hash of all inputs of the fit.
        fit: Result or failure of the fit.
        cached: Whether the store already had the fit.
    """

    recipe: str
    fit: FitResult | FailedFit
    cached: bool


@dataclass(frozen=True)
class Scored:
    """The result of a job that evaluates: a score for each task of the job, except tasks whose fit failed."""

    cells: tuple[Cell, ...]


JobResult = Fitted | Scored
Needed = LearnedTask | FailedTask | None  # None is a finished row: later jobs need only that it exists


def needed(result: JobResult | JobEvent) -> Needed:
    """Returns the part of a result, or of an event of an earlier call, that later jobs need."""
    fit = result.fit if isinstance(result, Fitted) else result
    if isinstance(fit, LearnedTask):
        return fit.reference
    if isinstance(fit, FailedTask):
        return FailedTask(task=fit.task, failed=fit.failed, last_good=fit.last_good)
    return None


def read_result(value: Mapping[str, Any]) -> JobResult:
    """Returns a result from the plain JSON value that a worker sends."""
    if "cells" in value:
        return read(Scored, value)
    entries = value["fit"]
    fit = read(FailedFit, entries) if "failed" in entries else read(FitResult, entries)
    return Fitted(value["recipe"], fit, value["cached"])


def read_needed(value: Mapping[str, Any] | None) -> Needed:
    """Returns what a job needs from the plain JSON value that a worker receives."""
    if value is None:
        return None
    return read(FailedTask, value) if "failed" in value else read(LearnedTask, value)
