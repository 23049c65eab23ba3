"""The beginning of a call: what the run rests on goes into the ledger, and must be what it rested on before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from stream.engine.context import RunContext
from stream.engine.keys import RunInputs
from stream.results.document import Facts
from stream.storage.ledger import Ledger
from tasks.content import canonical
from tasks.errors import InputError, InputErrors


def opened(prepared: RunContext, facts: Facts, lost: Sequence[str] = ()) -> dict[str, Any]:
    """The event that opens a call: all that keys and results derive from, beside the jobs' events.

    Args:
        lost: Keys of events that no longer hold, as a Delta is gone from the store.
    """
    return {
        "event": "run",
        "taskstream": version("taskstream"),
        "lost": list(lost),
        "inputs": prepared.inputs.as_dict(),
        "overrides": prepared.config.training_overrides,
        "facts": facts.as_dict(),
        "encoded": {task: data.path.name for task, data in prepared.data.items()},
    }


def lacks(ledger: Ledger, opening: Mapping[str, Any]) -> bool:
    """Whether the ledger's last call rests on something else, so that this one must be told even if it does nothing."""
    before = last_opened(ledger.events)
    return before is None or canonical({**before, "lost": []}) != canonical({**opening, "lost": []})


def last_opened(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The event of the last call that had work to do, or that rested on something else than the call before it."""
    return next((event for event in reversed(events) if event["event"] == "run"), None)


def check_same_inputs(ledger: Ledger, prepared: RunContext, notice: Callable[[str], None]) -> None:
    """Refuse to go on with another backbone or other data under the names that the run began with.

    Other numerics (a library updated, another machine) are told: everything is then done anew, as a row of R must not
    be half of one and half of the other.

    Raises:
        InputErrors: What differs.
    """
    opening = last_opened(ledger.events)
    if opening is None:
        return
    before, now = RunInputs(**opening["inputs"]), prepared.inputs
    fix = "restore it, or give another --out"
    errors = []
    if before.backbone != now.backbone:
        files = ", ".join(_different(before.files, now.files))
        errors.append(InputError(
            "the backbone is not the one that this run began with" + (f": {files} changed" if files else ""),
            where=prepared.config.backbone, expected=f"content {before.backbone[:16]}", found=now.backbone[:16],
            fix=fix,
        ))  # fmt: skip
    for task, data in now.data.items():
        if before.data.get(task, data) != data:
            errors.append(InputError(
                "the data of this task are not those that the run began with", where=f"task {task}",
                expected=f"content {before.data[task][:16]}", found=data[:16], fix=fix,
            ))  # fmt: skip
    if errors:
        raise InputErrors(errors)
    if changed := changes(before.numerics, now.numerics):
        notice(f"arithmetic differs from that so far ({changed}): all is done anew")


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What of the arithmetic is another, in words: "torch 2.9 -> 2.10"."""
    return ", ".join(f"{name} {before.get(name)} -> {now.get(name)}" for name in _different(before, now))


def _different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
