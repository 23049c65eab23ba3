"""The header of a call: the inputs of the run, written to the ledger and compared with those of earlier calls."""

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
    """Returns the event that begins a call.

    Args:
        lost: Keys of earlier events that no longer count, because their Delta is missing from the store. Default: none.
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
    """Whether the inputs differ from those of the last call. The header must then be written even if no job is left."""
    before = last_header(events)
    return before is None or _canonical(before) != _canonical(header)


def _canonical(header: Header) -> str:
    return canonical(as_entry(replace(header, lost=())))


def last_header(events: Sequence[Event]) -> Header | None:
    """Returns the last header in the ledger; None if there is none. A call without work writes a header only if its
    inputs differ from those of the call before."""
    return next((event for event in reversed(events) if isinstance(event, Header)), None)


def check_same_inputs(events: Sequence[Event], context: RunContext, notice: Callable[[str], None]) -> None:
    """Checks that backbone and data have the same content as when the run began.

    Other numerics (an updated library, another machine), another metric or a changed plug-in give only a notice: the
    jobs concerned are computed again, because a row of R must not mix results of both.

    Args:
        events: Events of the ledger so far.
        notice: Called with the text of each notice.

    Raises:
        InputErrors: The backbone or the data differ; one error for each difference.
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
            "the backbone changed since this run began" + (f": {files} changed" if files else ""),
            where=context.config.backbone, expected=f"content {before.backbone[:16]}", found=now.backbone[:16],
            fix=fix,
        ))  # fmt: skip
    for task, data in now.data.items():
        if before.data.get(task, data) != data:
            errors.append(InputError(
                "the data of this task changed since this run began", where=f"task {task}",
                expected=f"content {before.data[task][:16]}", found=data[:16], fix=fix,
            ))  # fmt: skip
    if errors:
        raise InputErrors(errors)
    for name, source, change in changed_plugins(header.facts.plugins, context.plugins):
        notice(
            f"learner {name}: its plug-in {source} changed since this run began ({change}); its jobs will be computed "
            "again, jobs of other learners will not"
        )
    for task, how in now.scoring.items():
        if (earlier := before.scoring.get(task, how)) != how:
            notice(
                f"task {task}: what computes its scores changed since this run began ({earlier} -> {how}); jobs that "
                "depend on them will be computed again"
            )
    if changed := changes(before.numerics, now.numerics):
        notice(f"numerics changed since this run began ({changed}): all jobs will be computed again")


def changed_plugins(before: Sequence[Mapping[str, str]], now: Sequence[Used]) -> list[tuple[str, str, str]]:
    """Returns the learners whose plug-in changed: name, source of the plug-in, and the first digits of both hashes.

    Args:
        before: Plug-ins in the header of the earlier call.
        now: Plug-ins that this call uses.
    """
    hashes = {plugin["name"]: plugin["sha256"] for plugin in before if plugin["kind"] == "learner"}
    return [
        (used.name, used.origin.source, f"SHA-256 {hashes[used.name][:16]} -> {used.origin.sha256[:16]}")
        for used in now
        if used.kind == "learner" and hashes.get(used.name, used.origin.sha256) != used.origin.sha256
    ]


def changes(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> str:
    """Returns the numerics that changed as text, for example "torch 2.9 -> 2.10"."""
    return ", ".join(f"{name} {before.get(name)} -> {now.get(name)}" for name in _different(before, now))


def _different(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
