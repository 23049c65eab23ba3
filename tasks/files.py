"""Files that are whole or absent: written under another name, flushed to disk, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part; text as UTF-8."""
    make_folder(path.parent)
    temporary = path.parent / f".{uuid4().hex}.part"  # not of `tempfile`: its files are for their owner alone
    try:
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_atomic(path: Path) -> Iterator[Path]:
    """A folder to fill that then appears at `path`, whole or not at all; nothing or an empty folder may be there.

    Raises:
        OSError: Something else is there, or came there meanwhile.
    """
    make_folder(path.parent)
    temporary = path.parent / f".{uuid4().hex}.part"
    temporary.mkdir()
    try:
        yield temporary
        for file in (found for found in temporary.rglob("*") if found.is_file()):
            with file.open("rb") as written:
                os.fsync(written.fileno())
        for folder in (temporary, *(found for found in temporary.rglob("*") if found.is_dir())):
            sync_folder(folder)
        os.rename(temporary, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Make a folder, and those it lies in, so that they survive a power cut: with its name goes all that is in it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
