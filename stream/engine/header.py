"""The header of a call: the inputs of the run, written to the ledger and compared with those of earlier calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from stream.config.resolve import resolve_config
from stream.config.same_run import check_same_run
from stream.config.settings import RunConfig
from stream.config.toml import config_toml
from stream.engine.context import RunContext
from stream.engine.kept import left_out
from stream.execution.numerics import changes
from stream.plugins.used import Used
from stream.results.document import Facts
from stream.storage.events import Event, Header, as_entry, read_events
from stream.storage.ledger import read_ledger
from tasks.content import canonical
from tasks.errors import InputError, InputErrors


def header_of(context: RunContext, facts: Facts, config: str, lost: Sequence[str] = ()) -> Header:
    """Returns the event that begins a call.

    Args:
        config: Content of config.toml.
        lost: Keys of earlier events that no longer count, because their Delta is missing from the store. Default: none.
    """
    return Header(
        taskstream=version("taskstream"),
        lost=tuple(lost),
        inputs=context.inputs,
        overrides=context.config.training_overrides,
        facts=facts.recorded,
        encoded={task: data.path.name for task, data in context.data.items()},
        config=hashlib.sha256(config.encode()).hexdigest(),
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


def config_digest(folder: Path) -> str | None:
    """Returns the SHA-256 of config.toml in the folder of a run; None if there is none."""
    path = folder / "config.toml"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def is_own_config(digest: str | None, events: Sequence[Event]) -> bool:
    """Whether config.toml may be the file that the run wrote.

    It is written just after the header: if nothing follows the header, it may be that of the call before. Ledgers of
    earlier versions have no hash of it.

    Args:
        digest: SHA-256 of config.toml; None if there is none.
        events: Events of the ledger.
    """
    digests = [event.config for event in events if isinstance(event, Header)]
    allowed = digests[-2:] if events and isinstance(events[-1], Header) else digests[-1:]
    return not allowed or None in allowed or digest in allowed


def config_text(config: RunConfig, origins: Mapping[str, str], events: Sequence[Event]) -> str:
    """Returns the content of config.toml for a call: that of the file if it is the run's own and has these settings, so
    that it keeps the origins of their values.

    Args:
        origins: Origin of each setting, by name.
        events: Events of the ledger.
    """
    path, digest = config.out_folder / "config.toml", config_digest(config.out_folder)
    if digest is not None and is_own_config(digest, events) and resolve_config({}, path)[0] == config:
        return path.read_text(encoding="utf-8")
    return config_toml(config, origins)


def check_settings(config: RunConfig) -> None:
    """Checks that a run can continue with these settings, as its config.toml says; see `check_same_run`.

    A damaged config.toml does not count. `check_same_inputs` compares what the ledger says.

    Raises:
        InputError: Settings differ, or the ledger cannot be read.
    """
    folder = config.out_folder
    try:
        check_same_run(folder / "config.toml", config)
    except InputError:
        if is_own_config(config_digest(folder), read_events(read_ledger(folder / "ledger.jsonl"))):
            raise


def check_same_inputs(events: Sequence[Event], context: RunContext, notice: Callable[[str], None]) -> None:
    """Checks that backbone, data and settings are those of the run, and that the call leaves out none of its results.

    Other numerics (an updated library, another machine), another metric or a changed plug-in give only a notice: the
    jobs concerned are computed again, because a row of R must not mix results of both.

    Args:
        events: Events of the ledger so far.
        notice: Called with the text of each notice.

    Raises:
        InputErrors: The backbone, the data or a setting differ, a learner with results is left out, or tasks arrive in
            another order than they did; one error for each difference.
    """
    header = last_header(events)
    if header is None:
        return
    if not is_own_config(config_digest(context.config.out_folder), events):
        notice("config.toml is missing or is not the file that the run wrote: it is written again")
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
    errors += [*_changed_settings(header, context), *left_out(header, events, context)]
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


def _changed_settings(header: Header, context: RunContext) -> list[InputError]:
    """Settings that results depend on and that differ from those of the last call. config.toml has them too, but a user
    may have lost it."""
    before, now = header.facts, context.facts()
    pairs: dict[str, tuple[object, object]] = {"seed": (before.seed, now.seed)}
    pairs |= {name: (old, now.settings[name]) for name, old in before.settings.items() if name in now.settings}
    return [
        InputError(
            f"{name} differs from the run that this folder holds", where=f"--out {context.config.out}",
            expected=repr(old), found=repr(new), fix="give another --out, or the same settings",
        )
        for name, (old, new) in pairs.items() if old != new
    ]  # fmt: skip


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


def _different(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
