"""The result of a job, and the part of it that later jobs need. Worker processes send and receive both as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stream.storage.cell import Cell
from stream.storage.events import JobEvent
from stream.storage.fits import FailedFit, FailedTask, FitResult, LearnedTask
from stream.storage.plain import read
from stream.storage.trials import Trial, Tried, TriedFit


@dataclass(frozen=True)
class Fitted:
    """The result of a fit job.

    Attributes:
        recipe: Id of the recipe, the hash of all inputs of the fit.
        fit: Result or failure of the fit.
        cached: Whether the store already had the fit.
        chosen: The alternative that won; None (default) for a learner without alternatives.
    """

    recipe: str
    fit: FitResult | FailedFit
    cached: bool
    chosen: Trial | None = None


@dataclass(frozen=True)
class Scored:
    """The result of a job that evaluates: a score for each task of the job, except tasks whose fit failed."""

    cells: tuple[Cell, ...]


JobResult = Fitted | TriedFit | Scored
Needed = LearnedTask | FailedTask | Tried | None  # None is a finished row: later jobs need only that it exists


def needed(result: JobResult | JobEvent) -> Needed:
    """Returns the part of a result, or of an event of an earlier call, that later jobs need."""
    if isinstance(result, Fitted) and isinstance(result.fit, LearnedTask):
        learned = result.fit.reference
        return learned if result.chosen is None else replace(learned, chosen=result.chosen.candidate)
    fit = result.fit if isinstance(result, Fitted) else result
    if isinstance(fit, LearnedTask | Tried):
        return fit.reference
    if isinstance(fit, FailedTask):
        return FailedTask(task=fit.task, failed=fit.failed, last_good=fit.last_good)
    return None


def read_result(value: Mapping[str, Any]) -> JobResult:
    """Returns a result from the plain JSON value that a worker sends."""
    if "cells" in value:
        return read(Scored, value)
    if "trial" in value:
        return read(TriedFit, value)
    entries = value["fit"]
    fit = read(FailedFit, entries) if "failed" in entries else read(FitResult, entries)
    chosen = None if value.get("chosen") is None else read(Trial, value["chosen"])
    return Fitted(value["recipe"], fit, value["cached"], chosen)


def read_needed(value: Mapping[str, Any] | None) -> Needed:
    """Returns what a job needs from the plain JSON value that a worker receives."""
    if value is None:
        return None
    if "trial" in value:
        return read(Tried, value)
    return read(FailedTask, value) if "failed" in value else read(LearnedTask, value)
