"""Write files and folders atomically: under a temporary name, flushed to disk, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file atomically: after a crash it has the old or the new content, never a part. Text is UTF-8.

    Creates missing parent folders.
    """
    make_folder(path.parent)
    temporary = path.parent / f".{uuid4().hex}.part"  # only the owner can read files of `tempfile`
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
    """Give a temporary folder to fill, then rename it to `path`. If the block fails, `path` does not change.

    Raises:
        OSError: `path` exists, and is not an empty folder.
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
    """Create a folder and its missing parents. They survive a power cut: without its name, all its files are lost."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that new and renamed files in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
