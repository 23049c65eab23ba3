"""`taskstream run`: a stream, live on the terminal, its report at the end."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from stream.api.arguments import read_call
from stream.api.session import perform
from stream.errors import RunFailed
from stream.report.terminal.failures import one_line

INTERRUPTED = 130  # as shells have it: 128 and the number of the signal that Ctrl-C sends


def run(given: Mapping[str, Any], display: str) -> int:
    """Run or continue; returns the exit code: 1 also for a stream that came to its end with failed fits.

    Args:
        given: Arguments of `stream.run` by name.
    """
    call = read_call({**given, "display": display}, origin="command line")
    try:
        results = perform(call)
    except RunFailed as failure:
        print(f"error: {failure}\nfinished work is kept; continue with: {_command()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; finished work is kept; continue with: {_command()}", file=sys.stderr)
        return INTERRUPTED
    if display == "json":
        print(json.dumps(results.document))
    if (failed := one_line(results)) is not None:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    return 0


def _command() -> str:
    return shlex.join(["taskstream", *sys.argv[1:]])
