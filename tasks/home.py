"""Folders for caches, also for a process without a home folder that it can write to, as in many containers."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tasks.errors import InputError

VARIABLE = "TASKSTREAM_CACHE"


def cache_folder() -> Path:
    """Returns the folder of encoded tasks, which all runs share.

    It is `encoded` in $TASKSTREAM_CACHE; if that is not set, in `taskstream` in the user's cache folder; if that cannot
    be written, in the folder for temporary files.

    Raises:
        InputError: There is no folder for temporary files either.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given) / "encoded"
    usual = _usual_caches() / "taskstream" / "encoded"
    return usual if can_write(usual) else temporary_home() / ".cache" / "taskstream" / "encoded"


def facts_folder() -> Path:
    """Returns the folder of facts that runs remember (`stream.storage.remembered`), beside the encoded tasks."""
    return cache_folder().with_name("known")


def check_cache() -> str:
    """Checks that encoded tasks can be written.

    Returns:
        A notice if they are kept in the folder for temporary files, else an empty text.

    Raises:
        InputError: The folder that $TASKSTREAM_CACHE names cannot be written, or there is no folder at all.
    """
    folder = cache_folder()
    if os.environ.get(VARIABLE):
        if not can_write(folder):
            raise InputError("the cache cannot be written", where=f"{VARIABLE}={os.environ[VARIABLE]}", fix=_FIX)
        return ""
    if temporary_home.cache_info().currsize and folder.is_relative_to(temporary_home()):  # else never asked for
        return f"no home folder can be written, so encoded tasks are kept in {folder}; {_FIX} to keep them elsewhere"
    return ""


_FIX = f"set {VARIABLE} to a folder that can be written"


def settle_home() -> None:
    """Sets environment variables so that libraries find a home folder, or caches, that they can write to.

    Without a home folder, HOME becomes a folder of this user for temporary files. In a home folder that cannot be
    written, files can still be read: only caches that cannot be made there move. Call it before these libraries are
    imported. If no folder can be written, nothing changes.
    """
    home = _home()
    with suppress(InputError):
        if home is None:
            os.environ["HOME"] = str(temporary_home())
            return
        if not can_write(_folder("XDG_CONFIG_HOME", ".config") / "matplotlib"):
            os.environ.setdefault("MPLCONFIGDIR", str(temporary_home() / "matplotlib"))
        downloads = _usual_caches() / "huggingface"
        if not can_write(downloads) and not downloads.exists():
            os.environ.setdefault("HF_HOME", str(temporary_home() / "huggingface"))


@contextmanager
def writable_home() -> Iterator[None]:
    """Gives a `with` block a home folder that can be written, for libraries that write there when they are imported."""
    home = os.environ.get("HOME")
    if (known := _home()) is not None and can_write(known):
        yield
        return
    os.environ["HOME"] = str(temporary_home())
    try:
        yield
    finally:
        if home is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = home


def can_write(folder: Path) -> bool:
    """Whether files can be written to a folder, or the folder can be made. Makes nothing."""
    for path in (folder, *folder.absolute().parents):
        if os.path.lexists(path):
            return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
    return False


@cache
def temporary_home() -> Path:
    """Returns a folder that belongs to this user alone, in the folder for temporary files; the same in later processes.

    Raises:
        InputError: There is no folder for temporary files.
    """
    try:
        folder = Path(tempfile.gettempdir()) / f"taskstream-{os.getuid()}"
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            about = folder.lstat()  # another user could have made it, or a link in its place
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and can_write(folder):
                return folder
        return Path(tempfile.mkdtemp(prefix="taskstream-"))
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError("no folder for caches can be written", where="home folder", found=found, fix=_FIX) from None


def _home() -> Path | None:
    """The user's home folder. None if it is unknown, missing or another user's; also for the root folder, which stands
    for no home."""
    try:
        home = Path.home()
    except RuntimeError:  # HOME is not set, and the user has no entry in the password file
        return None
    known = os.path.isdir(home) and os.access(home, os.R_OK | os.X_OK) and home != Path(home.anchor)
    return home if known else None


def _usual_caches() -> Path:
    return _folder("XDG_CACHE_HOME", ".cache")


def _folder(variable: str, name: str) -> Path:
    return Path(os.environ.get(variable) or (_home() or temporary_home()) / name)
