"""The events of finished jobs by job id, and functions that look up fits, rows and cells in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stream.storage.cell import Cell
from stream.storage.events import FailedFitEvent, Fit, FitEvent, JobEvent, RowEvent, RowKind, SearchEvent
from stream.storage.job import JobId

Finished = Mapping[JobId, JobEvent]


def fit_of(events: Finished, learner: str, arrival: int) -> Fit | None:
    """Returns the fit of a learner at an arrival, failed or not; None if it is not done."""
    event = events.get(JobId.of("fit", learner, arrival))
    return event if isinstance(event, FitEvent | FailedFitEvent) else None


def row_of(events: Finished, kind: RowKind, learner: str, arrival: int) -> RowEvent | None:
    """Returns the row that a job evaluated; None if the job is not done."""
    event = events.get(JobId.of(kind, learner, arrival))
    return event if isinstance(event, RowEvent) else None


def cells_of(events: Finished, kind: RowKind, learner: str, arrival: int) -> tuple[Cell, ...]:
    """Returns the cells that a job evaluated; an empty tuple if the job is not done."""
    row = row_of(events, kind, learner, arrival)
    return () if row is None else row.cells


def fits_of(order: Sequence[str], learner: str, events: Finished) -> list[Fit]:
    """Returns a learner's fits in order of arrival, failed ones included, up to the first one that is not done.

    Args:
        order: Names of the tasks, in order of arrival.
    """
    done: list[Fit] = []
    for arrival in range(1, len(order) + 1):
        fit = fit_of(events, learner, arrival)
        if fit is None:
            break
        done.append(fit)
    return done


def searches_of(events: Finished, learner: str) -> list[SearchEvent]:
    """Returns the finished trials of a learner, in the order of arrivals and trials."""
    found = (each for each in events.values() if isinstance(each, SearchEvent) and each.learner == learner)
    return sorted(found, key=lambda each: (each.arrival, each.trial))


def good(fits: Iterable[Fit | None]) -> list[FitEvent]:
    """Returns the fits that succeeded, in the same order."""
    return [fit for fit in fits if isinstance(fit, FitEvent)]
