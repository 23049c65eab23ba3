"""What finished jobs left, by job id, and the ways to look it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stream.storage.cell import Cell
from stream.storage.events import Fit, FitEvent, JobEvent, RowEvent, RowKind
from stream.storage.job import JobId

Finished = Mapping[JobId, JobEvent]


def fit_of(events: Finished, learner: str, arrival: int) -> Fit | None:
    """The fit of a learner at an arrival, failed or not; None where it is not done."""
    event = events.get(JobId.of("fit", learner, arrival))
    return None if event is None or isinstance(event, RowEvent) else event


def row_of(events: Finished, kind: RowKind, learner: str, arrival: int) -> RowEvent | None:
    """The row that a job scored; None where it is not done."""
    event = events.get(JobId.of(kind, learner, arrival))
    return event if isinstance(event, RowEvent) else None


def cells_of(events: Finished, kind: RowKind, learner: str, arrival: int) -> tuple[Cell, ...]:
    """The cells that a job scored; none where it is not done."""
    row = row_of(events, kind, learner, arrival)
    return () if row is None else row.cells


def fits_of(order: Sequence[str], learner: str, events: Finished) -> list[Fit]:
    """A learner's fits in order of arrival, failed ones too, as far as they are done without a gap."""
    done: list[Fit] = []
    for arrival in range(1, len(order) + 1):
        fit = fit_of(events, learner, arrival)
        if fit is None:
            break
        done.append(fit)
    return done


def good(fits: Iterable[Fit | None]) -> list[FitEvent]:
    """Those that gave a Delta."""
    return [fit for fit in fits if isinstance(fit, FitEvent)]
