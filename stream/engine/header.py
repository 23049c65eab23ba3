"""The beginning of a call: what the run rests on goes into the ledger, and must be what it rested on before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

from pydantic import JsonValue

from stream.engine.context import RunContext
from stream.plugins.used import Used
from stream.results.document import Facts
from stream.storage.events import Event, Header, as_entry
from tasks.content import canonical
from tasks.errors import InputError, InputErrors


def header_of(context: RunContext, facts: Facts, lost: Sequence[str] = ()) -> Header:
    """The event that opens a call.

    Args:
        lost: Keys of events that no longer hold, as a Delta is gone from the store.
    """
    return Header(
        taskstream=version("taskstream"),
        lost=tuple(lost),
        inputs=context.inputs,
        overrides=context.config.training_overrides,
        facts=facts.recorded,
        encoded={task: data.path.name for task, data in context.data.items()},
    )


def must_write_header(header: Header, events: Sequence[Event]) -> bool:
    """Whether the ledger's last call rests on something else, so that this one must be told even if it does nothing."""
    before = last_header(events)
    return before is None or _canonical(before) != _canonical(header)


def _canonical(header: Header) -> str:
    return canonical(as_entry(replace(header, lost=())))


def last_header(events: Sequence[Event]) -> Header | None:
    """The header of the last call that had work to do, or that rested on something else than the call before it."""
    return next((event for event in reversed(events) if isinstance(event, Header)), None)


def check_same_inputs(events: Sequence[Event], context: RunContext, notice: Callable[[str], None]) -> None:
    """Refuse to go on with another backbone or other data under the names that the run began with.

    Other numerics (a library updated, another machine) are told: everything is then done anew, as a row of R must not
    be half of one and half of the other.

    Args:
        events: Of the ledger so far.

    Raises:
        InputErrors: What differs.
    """
    header = last_header(events)
    if header is None:
        return
    before, now = header.inputs, context.inputs
    fix = "restore it, or give another --out"
    errors = []
    if before.backbone != now.backbone:
        files = ", ".join(_different(before.files, now.files))
        errors.append(InputError(
            "the backbone is not the one that this run began with" + (f": {files} changed" if files else ""),
            where=context.config.backbone, expected=f"content {before.backbone[:16]}", found=now.backbone[:16],
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
    for name, source, change in changed_plugins(header.facts.plugins, context.plugins):
        notice(
            f"learner {name}: its plug-in {source} changed since this run began ({change}); its jobs will be computed "
            "again under new keys, those of other learners stay"
        )
    if changed := changes(before.numerics, now.numerics):
        notice(f"arithmetic differs from that so far ({changed}): all is done anew")


def changed_plugins(before: Sequence[Mapping[str, str]], now: Sequence[Used]) -> list[tuple[str, str, str]]:
    """Learners whose plug-in has other content than it had: name, source, and the beginnings of both hashes."""
    hashes = {plugin["name"]: plugin["sha256"] for plugin in before if plugin["kind"] == "learner"}
    return [
        (used.name, used.origin.source, f"SHA-256 {hashes[used.name][:16]} -> {used.origin.sha256[:16]}")
        for used in now
        if used.kind == "learner" and hashes.get(used.name, used.origin.sha256) != used.origin.sha256
    ]


def changes(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> str:
    """What of the arithmetic is another, in words: "torch 2.9 -> 2.10"."""
    return ", ".join(f"{name} {before.get(name)} -> {now.get(name)}" for name in _different(before, now))


def _different(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
