"""Tasks in memory become a source of the run: files in its folder, which every later call and process can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stream.api.arguments import Call
from stream.config import RunConfig, resolve_config
from stream.storage.files import usable_folder
from tasks.errors import InputError, InputErrors


def with_tables(call: Call) -> Call:
    """The call with its tables written to OUT/tasks, and suite and source that name them.

    The suite is the tables alone if no suite was given; else tables that it does not name come after it.

    Raises:
        InputErrors: What is wrong with the tables, or they differ from those that the run in OUT began with, or the
            stream would take a table that an earlier call has left in OUT/tasks.
    """
    if call.tables is None:
        return call
    from tasks.sources.frames import FOLDER, write_frames  # NumPy and pyarrow

    config = call.config
    folder = config.out_folder / FOLDER
    usable_folder(folder, f"--out {config.out}")
    begun = (config.out_folder / "ledger.jsonl").exists()
    write_frames(folder, call.tables, fixed=begun)
    own = f"frames:{_as_named(config, folder) or Path(config.out) / FOLDER}"
    suite, source = config.suite, config.source
    if call.origins["suite"] == "default":
        suite = ",".join(call.tables)
        source = own if call.origins["source"] == "default" else source
    elif "all" not in (named := [part.strip() for part in suite.split(",")]):
        suite = ",".join((*named, *(name for name in call.tables if name not in named)))
    if not begun:
        _check_left_over(folder, suite, call.tables)
    if source != own and not source.endswith(f"+{own}"):
        source = f"{source}+{own}"
    changed = {"suite": suite, "source": source}
    origins: Mapping[str, str] = {**call.origins, **dict.fromkeys(changed, "call: tasks")}
    return replace(call, config=config.model_copy(update=changed), origins=origins, tables=None)


def _check_left_over(folder: Path, suite: str, tables: Mapping[str, object]) -> None:
    """See that no task that `suite` names comes from a table of an earlier call, instead of from the source.

    Raises:
        InputErrors: The tables that are in the way.
    """
    named = {part.strip() for part in suite.split(",")}
    left = {path: path.name.removesuffix(".parquet") for path in sorted(folder.iterdir())}
    fix = "remove it, or give another folder as `out`"
    errors = [
        InputError("this table of an earlier call is not among `tasks`", where=str(path), fix=fix)
        for path, name in left.items()
        if name in named and name not in tables
    ]
    if errors:
        raise InputErrors(errors)


def _as_named(config: RunConfig, folder: Path) -> str | None:
    """How the run in OUT, if there is one, names the folder of its tables: one path may be written in several ways."""
    file = config.out_folder / "config.toml"
    if not file.is_file():
        return None
    began, _ = resolve_config({}, file)
    named = began.source.rpartition("frames:")[2]
    same = began.source != named and Path(named).absolute() == folder.absolute()
    return named if same else None
