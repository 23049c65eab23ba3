"""Failures: why cells of R are empty. A fit failed, or logits were not finite. Such a cell is None, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from stream.storage.events import FailedFitEvent
from stream.storage.finished import Finished, cells_of, fit_of


class FailureEntry(TypedDict):
    """One entry of `failures` in results.json; see `stream.results.learner_results.Failure`."""

    task: str
    arrival: int
    step: int | None
    type: str
    message: str


def failures_of(order: Sequence[str], name: str, events: Finished) -> list[FailureEntry]:
    """Returns why cells of a learner are empty: failed fits first, then tasks with logits that are not finite.

    Both parts are in order of arrival. A task with such logits is listed once, with the first arrival where they
    occur; its `step` is None.
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
    listed: set[str] = set()
    for arrival in range(len(order) + 1):
        rows = (cells_of(events, kind, name, arrival) for kind in ("before", "evaluate", "audit"))
        for cell in (cell for cells in rows for cell in cells):
            if cell.score is None and cell.task not in listed:
                listed.add(cell.task)
                message = "a logit of a test row is not finite: no metric is defined"
                about: FailureEntry = {
                    "task": cell.task, "arrival": arrival, "step": None, "type": "NotFinite", "message": message
                }  # fmt: skip
                found.append(about)
    return found
