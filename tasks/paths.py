"""Paths that users write: expand `~`, and reject texts that cannot be a path before a system call fails on them."""

from __future__ import annotations

from pathlib import Path

from tasks.errors import InputError


def user_path(text: str, *, where: str) -> Path:
    """The path that a user writes. It need not exist.

    Args:
        text: The path as written. `~` or `~user` at its beginning is replaced by the home folder.
        where: The option, for messages.

    Raises:
        InputError: The text has a NUL character, a name that is too long for the file system, or an unknown user.
    """
    try:
        path = Path(text).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, RuntimeError, ValueError) as error:
        found = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        raise InputError("cannot be a path", where=where, found=f"{found}: {text[:60]!r}") from None
    return path
