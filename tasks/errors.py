"""One error for everything a user can get wrong: what, where, expected, found, what to do."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable


class InputError(Exception):
    """Bad input from the user. The command prints it as one line and exits with code 2.

    Args:
        what: What is wrong, as a short sentence without a full stop ("missing column").
        where: The file, task, learner or option concerned.
        expected: What would have been accepted.
        found: What was there instead.
        fix: The next thing to try.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", found: str = "", fix: str = "") -> None:
        self.what, self.where, self.expected, self.found, self.fix = what, where, expected, found, fix
        parts = [f"{where}: {what}" if where else what]
        parts += [f"expected {expected}"] if expected else []
        parts += [f"found {found}"] if found else []
        parts += [fix] if fix else []
        super().__init__("; ".join(part.rstrip(".") for part in parts))

    @property
    def errors(self) -> tuple[InputError, ...]:
        """Every single error: this one, or those of an `InputErrors`."""
        return (self,)


class InputErrors(InputError):
    """Several errors at once, so that a user can correct all of them before the next try.

    `except InputError` catches it too. The attributes `what`, `where`, ... are those of the first error.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self._errors = tuple(single for error in errors for single in error.errors)
        first = self._errors[0]
        super().__init__(first.what, where=first.where, expected=first.expected, found=first.found, fix=first.fix)
        self.args = ("\n".join(str(error) for error in self._errors),)

    @property
    def errors(self) -> tuple[InputError, ...]:
        return self._errors


def place_of(error: BaseException, file: str) -> tuple[str, str]:
    """Where an error in a user's own code comes from, and what it says: all of a traceback that the user needs.

    Args:
        file: Path of the user's file. The last line of it that was being executed is the place; if there is none, the
            last line of all.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or frames[-1:]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else file
    return where, " ".join("".join(traceback.format_exception_only(error)).split("\n")[-2:]).strip()


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> InputError:
    """The error for a name that no registry knows, with the nearest known names.

    >>> str(unknown_name("task", "colla", ["cola", "rte"]))
    "unknown task 'colla'; did you mean cola?"
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.55)
    if close:
        return InputError(f"unknown {kind} {name!r}", where=where, fix=f"did you mean {' or '.join(close)}?")
    shown = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    return InputError(f"unknown {kind} {name!r}", where=where, expected=f"one of {shown}")
