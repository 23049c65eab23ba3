"""Files of a run: strict JSON, folders that can be written, one writer at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from tasks.errors import InputError
from tasks.files import make_folder, write_atomic


def write_json(path: Path, value: Any, indent: int | None = None) -> None:
    """Write a value as strict JSON (no NaN), atomically."""
    write_atomic(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def laid_out(value: Any, depth: int = 0) -> str:
    """A value as strict JSON for people and programs: an entry of an object a line, and an item of a list that holds
    lists or objects a line, so that a matrix has the lines of its rows."""
    if isinstance(value, dict) and value:
        entries = [f"{_json(str(key))}: {laid_out(item, depth + 1)}" for key, item in value.items()]
        opening, closing = "{}"
    elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        entries = [_json(item) for item in value]
        opening, closing = "[]"
    else:
        return _json(value)
    indent = "\n" + " " * (depth + 1)
    return f"{opening}{indent}{f',{indent}'.join(entries)}{indent[:-1]}{closing}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def usable_folder(folder: Path, where: str) -> Path:
    """Make a folder, or see that it is one and can be written to.

    Raises:
        InputError: It cannot; `where` names the option.
    """
    try:
        make_folder(folder)
        probe = folder / f".{uuid4().hex}.part"
        probe.touch()
        probe.unlink()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InputError(
            "cannot write here", where=where, found=found, fix="give a folder that can be written"
        ) from None
    return folder


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Keep other processes from writing a run's ledger, and so its folder, for a `with` block; a crash lets go of it.

    The lock is an empty file beside the ledger, which stays. Who only reads needs no lock.

    Raises:
        InputError: Another process is at it.
    """
    lock = FileLock(path.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        fix = "wait for it, or give another --out (with --store on a common store, finished fits are shared)"
        raise InputError("another process is running in this folder", where=str(path.parent), fix=fix) from None
    try:
        yield
    finally:
        lock.release()
