"""Gaps of R: fits that gave nothing and cells without a score, each with its reason; never a zero in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.storage.job import JobId

Event = Mapping[str, Any]


def failed_fit(
    recipe: dict[str, Any], step: int, message: str, last_good: Event | None, spent: Mapping[str, Any]
) -> dict[str, Any]:
    """What a fit that diverged leaves in place of a record.

    It is not kept in the store: nobody else should take a failure for a result.

    Args:
        step: At which it showed.
        last_good: The fit that the next task of a sequential learner goes on from, as if this task had not come.
        spent: Its FLOPs, seconds and memory, which the account counts all the same.
    """
    failed = {"type": "Diverged", "step": step, "message": message}
    return {"recipe": recipe, "task": recipe["task"], "failed": failed, "last_good": last_good, **spent}


def last_good(fit: dict[str, Any]) -> dict[str, Any] | None:
    """The fit to go on from after this one; None where none so far was good."""
    return fit["last_good"] if "failed" in fit else fit


def good(fits: Sequence[Event]) -> list[Event]:
    """Those that gave a Delta."""
    return [fit for fit in fits if "failed" not in fit]


def failures_of(order: Sequence[str], name: str, events: Mapping[str, Event]) -> list[dict[str, Any]]:
    """Why cells of a learner are empty, in order of arrival: fits that failed, then tasks answered with no number.

    A task answered so is listed once, with the first arrival after which it was; it has no step.
    """
    fits = ((arrival, events.get(JobId.of("fit", name, arrival), {})) for arrival in range(1, len(order) + 1))
    found = [
        {"task": fit["task"], "arrival": arrival, **{key: fit["failed"][key] for key in ("step", "type", "message")}}
        for arrival, fit in fits
        if "failed" in fit
    ]
    told: set[str] = set()
    for arrival in range(len(order) + 1):
        rows = (events.get(JobId.of(kind, name, arrival), {}) for kind in ("before", "evaluate", "audit"))
        for cell in (cell for row in rows for cell in row.get("cells", ())):
            if cell["score"] is None and cell["task"] not in told:
                told.add(cell["task"])
                message = "a logit of a test row is not finite: no metric is defined"
                about = {"task": cell["task"], "arrival": arrival, "step": None, "type": "NotFinite"}
                found.append({**about, "message": message})
    return found
