"""Failures: why cells of R are empty. A fit gave nothing, or a task was answered with no number; never a zero there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from stream.storage.events import FailedFitEvent
from stream.storage.finished import Finished, cells_of, fit_of


class FailureEntry(TypedDict):
    """One entry of `failures` in results.json."""

    task: str
    arrival: int
    step: int | None
    type: str
    message: str


def failures_of(order: Sequence[str], name: str, events: Finished) -> list[FailureEntry]:
    """Why cells of a learner are empty, in order of arrival: fits that failed, then tasks answered with no number.

    A task answered so is listed once, with the first arrival after which it was; it has no step.
    """
    fits = ((arrival, fit_of(events, name, arrival)) for arrival in range(1, len(order) + 1))
    found: list[FailureEntry] = [
        {
            "task": fit.task,
            "arrival": arrival,
            "step": fit.failed.step,
            "type": fit.failed.type,
            "message": fit.failed.message,
        }
        for arrival, fit in fits
        if isinstance(fit, FailedFitEvent)
    ]
    told: set[str] = set()
    for arrival in range(len(order) + 1):
        rows = (cells_of(events, kind, name, arrival) for kind in ("before", "evaluate", "audit"))
        for cell in (cell for cells in rows for cell in cells):
            if cell.score is None and cell.task not in told:
                told.add(cell.task)
                message = "a logit of a test row is not finite: no metric is defined"
                about: FailureEntry = {
                    "task": cell.task, "arrival": arrival, "step": None, "type": "NotFinite", "message": message
                }  # fmt: skip
                found.append(about)
    return found
