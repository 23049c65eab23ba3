"""Paths as users write them: `~` resolved, and what cannot be a path refused rather than left to the system calls."""

from __future__ import annotations

from pathlib import Path

from tasks.errors import InputError


def user_path(text: str, *, where: str) -> Path:
    """The path that a user names; nothing need be there.

    Args:
        text: As written, `~` and `~user` at its beginning stand for a home folder.
        where: The option, for messages.

    Raises:
        InputError: It holds a NUL character, a name is longer than the file system takes, or there is no such user.
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
