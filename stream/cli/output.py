"""Standard output of the command, where it may be closed, full, or a pipe that nobody reads any more.

A failed write raises `OutputFailed`, which is neither an `OSError` nor a `ValueError`: no code that reads or writes a
run can take it for a fault of the run's files.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from collections.abc import MutableMapping
from typing import Any

CLOSED_PIPE = 141  # the convention of shells: 128 plus the number of the signal SIGPIPE


class OutputFailed(Exception):
    """Standard output cannot be written.

    Attributes:
        code: Exit code of the command: 1, or 141 if a pipe is closed.
    """

    def __init__(self, error: OSError) -> None:
        found = "it is closed" if error.errno == errno.EBADF else error.strerror
        super().__init__(f"cannot write to standard output: {found}")
        self.code = CLOSED_PIPE if error.errno == errno.EPIPE else 1


class _Output(io.FileIO):
    """A descriptor to write to. The first failed write raises `OutputFailed` in the main thread; later ones do nothing.

    A thread that draws could only print the error, in the middle of the screen.
    """

    failure: OutputFailed | None = None
    told = False

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = OutputFailed(error)
        if not self.told and threading.current_thread() is threading.main_thread():
            self.told = True
            raise self.failure
        return len(data)


def guard_streams() -> None:
    """Make standard output raise `OutputFailed`, and standard error drop what cannot be written.

    A closed descriptor is opened again as one that refuses what is written. Else the next file that the command opens
    would take its number, and would get what a library prints. Streams that a caller has replaced are left alone.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None and (opened := os.open(os.devnull, os.O_RDONLY)) != number:
            os.dup2(opened, number)
            os.close(opened)
        if number and stream is getattr(sys, f"__{name}__"):
            raw = _Output(number if stream is None else stream.fileno(), "w", closefd=False)
            raw.told = name == "stderr"  # nobody can be told that standard error fails
            terminal = raw.isatty()
            encoding, errors = (stream.encoding, stream.errors) if stream else ("utf-8", "replace")
            guarded = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=terminal or raw.told)
            setattr(sys, name, guarded)


def ignore_unusable_size(environment: MutableMapping[str, str]) -> None:
    """Remove COLUMNS and LINES if they are not numbers above 0: `COLUMNS=0` means that the size is not known."""
    for name in ("COLUMNS", "LINES"):
        value = environment.get(name, "1")
        if not (value.isascii() and value.isdecimal() and int(value)):
            del environment[name]
