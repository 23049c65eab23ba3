"""Write tasks in memory to files in the run's folder. Later calls and other processes read them from there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from stream.api.arguments import Call
from stream.config.settings import RunConfig
from stream.storage.files import sole_writer, usable_folder
from stream.study.settings import resolve_study
from tasks.errors import InputError, InputErrors
from tasks.suite import known_name


def with_tables(call: Call) -> Call:
    """Write the tables of a call to OUT/tasks, and add them to its suite and source.

    If no suite is given, the suite consists of the tables. If one is given, tables that it does not name follow it.

    Returns:
        The call without tables, or the same call if it has none.

    Raises:
        InputErrors: Errors in the tables. Or the tables differ from those of the run in OUT. Or a task of the stream
            would come from a table that an earlier call left in OUT/tasks. Or
            another process is running in OUT.
    """
    if call.tables is None:
        return call
    from tasks.sources.frames import FOLDER, write_frames  # imports NumPy and pyarrow

    config = call.config
    folder = config.out_folder / FOLDER
    usable_folder(folder, f"--out {config.out}")
    ledger = config.out_folder / "ledger.jsonl"
    with nullcontext() if ledger.exists() else sole_writer(ledger):
        begun = ledger.exists() or (call.grid is not None and any(config.out_folder.glob("*/ledger.jsonl")))
        write_frames(folder, call.tables, fixed=begun)
    own = f"frames:{_as_named(config, folder) or Path(config.out) / FOLDER}"
    suite, source = config.suite, config.source
    tables = [known_name(name) for name in call.tables]
    if call.origins["suite"] == "default":
        suite = ",".join(tables)
        source = own if call.origins["source"] == "default" else source
    elif "all" not in (named := [known_name(part.strip()) for part in suite.split(",")]):
        suite = ",".join((*named, *(name for name in tables if name not in named)))
    if not begun:
        _check_left_over(folder, suite, tables)
    if source != own and not source.endswith(f"+{own}"):
        source = f"{source}+{own}"
    changed = {"suite": suite, "source": source}
    origins: Mapping[str, str] = {**call.origins, **dict.fromkeys(changed, "call: tasks")}
    return replace(call, config=config.model_copy(update=changed), origins=origins, tables=None)


def _check_left_over(folder: Path, suite: str, tables: Collection[str]) -> None:
    """Check that no task of `suite` comes from a table of an earlier call instead of from the source.

    Raises:
        InputErrors: The tables that must be removed.
    """
    named = {part.strip() for part in suite.split(",")}
    left = {path: known_name(path.name.removesuffix(".parquet")) for path in sorted(folder.iterdir())}
    fix = "remove it, or give another folder as `out`"
    errors = [
        InputError("this table of an earlier call is not among `tasks`", where=str(path), fix=fix)
        for path, name in left.items()
        if name in named and name not in tables
    ]
    if errors:
        raise InputErrors(errors)


def _as_named(config: RunConfig, folder: Path) -> str | None:
    """The path of `folder` as the settings of the run in OUT write it, because one path can be written in several ways.
    None if there is no run in OUT, or it has other tables."""
    file = config.out_folder / "config.toml"
    if not file.is_file():
        return None
    began = resolve_study({}, file)[0]
    named = began.source.rpartition("frames:")[2]
    same = began.source != named and Path(named).absolute() == folder.absolute()
    return named if same else None
