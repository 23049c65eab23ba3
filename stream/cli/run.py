"""`taskstream run`: run a stream, with a live view on the terminal and a report at the end."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from stream.api.arguments import read_call
from stream.api.perform import perform
from stream.cli.output import OutputFailed
from stream.errors import RunFailed
from stream.report.terminal.failures import one_line
from stream.study.study import Study

INTERRUPTED = 130  # the convention of shells: 128 plus the number of the signal that Ctrl-C sends


def run(given: Mapping[str, Any], display: str) -> int:
    """Run a stream, or continue it.

    Args:
        given: Arguments of `stream.run` by name.

    Returns:
        The exit code: 0; 1 if the run ended early or a fit failed; 130 after Ctrl-C; 141 if a pipe was closed.

    Raises:
        InputError: Bad settings or data.
    """
    call = read_call({**given, "display": display}, origin="command line")
    try:
        results = perform(call)
    except RunFailed as failure:
        print(f"error: {failure}\nfinished work is kept; continue with: {_command()}", file=sys.stderr)
        return 1
    except OutputFailed as failure:
        print(f"error: {failure}\nfinished work is kept; continue with: {_command()}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        print(f"interrupted; finished work is kept; continue with: {_command()}", file=sys.stderr)
        return INTERRUPTED
    if display == "json":
        print(json.dumps(results.document))
    members = results.members if isinstance(results, Study) else {"": results}
    failures = {folder: failed for folder, member in members.items() if (failed := one_line(member)) is not None}
    for folder, failed in failures.items():
        print(f"error: {f'{folder}: ' if folder else ''}{failed}", file=sys.stderr)
    return 1 if failures else 0


def _command() -> str:
    return shlex.join(["taskstream", *sys.argv[1:]])
