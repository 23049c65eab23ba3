"""Files of a run: strict JSON, checks that a folder is writable, and a lock for the only writer."""

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
    """Writes a value as strict JSON (no NaN) to a file, atomically.

    Args:
        indent: Spaces per level; None (default) writes one line.
    """
    write_atomic(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def readable_json(value: Any, depth: int = 0) -> str:
    """Returns a value as strict JSON that people can read too.

    Each entry of an object has its own line, and so has each item of a list that contains lists or objects. So each row
    of a matrix is one line.

    Args:
        depth: Level of the value in the document; 0 (default) is the outermost.
    """
    if isinstance(value, dict) and value:
        entries = [f"{_json(str(key))}: {readable_json(item, depth + 1)}" for key, item in value.items()]
        left, right = "{}"
    elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        entries = [_json(item) for item in value]
        left, right = "[]"
    else:
        return _json(value)
    indent = "\n" + " " * (depth + 1)
    return f"{left}{indent}{f',{indent}'.join(entries)}{indent[:-1]}{right}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def usable_folder(folder: Path, where: str) -> Path:
    """Makes a folder if it does not exist, checks that it is writable, and returns it.

    Args:
        where: The option that names the folder, for the error.

    Raises:
        InputError: The folder cannot be made or written to.
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
    """Locks a run's ledger, and so its folder, against other writers for a `with` block.

    The lock is an empty file next to the ledger. The file stays there afterwards; the system releases the lock if the
    process crashes. Readers need no lock. A block inside another one of the same thread takes the lock only once.

    Raises:
        InputError: Another process or thread has the lock.
    """
    lock = FileLock(path.with_suffix(".lock"), timeout=0, is_singleton=True)  # a block in a block has it already
    try:
        lock.acquire()
    except Timeout:
        fix = "wait until it ends, or give another --out (runs with the same --store share finished fits)"
        raise InputError("another process is running in this folder", where=str(path.parent), fix=fix) from None
    try:
        yield
    finally:
        lock.release()
