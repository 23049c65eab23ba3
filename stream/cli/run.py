"""`taskstream run`: a stream, live on the terminal, its report at the end."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.config import RunConfig, resolve_config
from stream.errors import RunFailed
from stream.execution.workers import waiting_workers
from stream.loggers.log import logged
from stream.plugins.file import read_plugins
from stream.report import make_console, open_view, print_report
from stream.report.terminal.failures import one_line
from tasks.errors import InputError


def run(given: Mapping[str, Any], columns: Sequence[str], config: Path | None, display: str) -> int:
    """Run or continue; returns the exit code: 1 also for a stream that came to its end with failed fits."""
    settings, origins = settings_of(given, columns, config)
    console = make_console(display)
    try:
        with (
            waiting_workers(settings.workers) as waiting,
            open_view(display, console) as view,
            logged(settings.log, settings.out_folder, view.handle) as handle,
        ):
            handle({"event": "notice", "message": "loading libraries"})
            from stream.engine.engine import (
                run_stream,  # seconds: only once the settings are read and something is shown
            )

            results = run_stream(settings, origins, handle, waiting)
    except RunFailed as failure:
        print(f"error: {failure}\nfinished work is kept; continue with: {_command()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; finished work is kept; continue with: {_command()}", file=sys.stderr)
        return 1
    if display == "json":
        print(json.dumps(results))
    elif display != "none":
        print_report(results, console)
    if (failed := one_line(results)) is not None:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    return 0


def settings_of(
    given: Mapping[str, Any], columns: Sequence[str], config: Path | None
) -> tuple[RunConfig, dict[str, str]]:
    """Settings from the options of the command, and the origin of each.

    Raises:
        InputError, InputErrors: What cannot be read.
    """
    settings, origins = resolve_config({**given, "columns": _columns(columns) or None}, config)
    read_plugins(settings.plugins)  # what is wrong with a file itself is told before libraries are loaded
    return settings, origins


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise InputError(
                "cannot read this", where="--column", expected="OURS=THEIRS, as text=sentence", found=repr(pair)
            )
        columns[ours] = theirs
    return columns


def _command() -> str:
    return shlex.join(["taskstream", *sys.argv[1:]])
