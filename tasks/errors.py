"""The error for all wrong input of a user. It says what is wrong, where, what was expected and found, and the fix."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable


class InputError(Exception):
    """Wrong input from the user. The command prints it as one line and exits with code 2.

    Args:
        what: What is wrong, as a short sentence without a full stop ("missing column").
        where: The file, task, learner or option that has the error. Default, here and below: "", not stated.
        expected: What is accepted.
        found: What was found instead.
        fix: What to try next.
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
        """All errors: this one alone, or those of an `InputErrors`."""
        return (self,)


class InputErrors(InputError):
    """Several errors at once, so that a user can correct all of them before the next try.

    `except InputError` catches it too. The attributes `what`, `where`, ... are those of the first error.

    Args:
        errors: At least one error.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self._errors = tuple(single for error in errors for single in error.errors)
        first = self._errors[0]
        super().__init__(first.what, where=first.where, expected=first.expected, found=first.found, fix=first.fix)
        self.args = ("\n".join(str(error) for error in self._errors),)

    @property
    def errors(self) -> tuple[InputError, ...]:
        """All errors, in the order given."""
        return self._errors


def place_of(error: BaseException, file: str) -> tuple[str, str]:
    """The place and the message of an error in a user's code: the parts of the traceback that the user needs.

    Args:
        file: Path of the user's file. The place is the last executed line of this file; without one, the last line of
            the traceback.

    Returns:
        (FILE:LINE, message in one line).
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or frames[-1:]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else file
    return where, " ".join("".join(traceback.format_exception_only(error)).split("\n")[-2:]).strip()


def unknown_name(
    kind: str, name: str, known: Iterable[str], *, where: str = "", listed: Iterable[str] = (), found: str = ""
) -> InputError:
    """The error for an unknown name. It suggests similar known names, or lists up to 40 known ones.

    Args:
        kind: What is named ("task").
        name: The unknown name.
        known: All known names.
        where: As in `InputError`. Default: "", not stated.
        listed: Names to list in any case, because the user cannot know them. Default: none.
        found: As in `InputError`. Default: "", not stated.

    >>> str(unknown_name("task", "colla", ["cola", "rte"]))
    "unknown task 'colla'; did you mean cola?"
    """
    spelled = {known_as.casefold(): known_as for known_as in sorted(known)}
    close = difflib.get_close_matches(name.casefold(), spelled, n=3, cutoff=0.55)
    fix = f"did you mean {' or '.join(spelled[match] for match in close)}?" if close else ""
    names = [*listed] or ([] if close else sorted(spelled.values()))
    expected = f"one of {shown(names)}" if names else ""
    return InputError(f"unknown {kind} {name!r}", where=where, expected=expected, found=found, fix=fix)


def shown(names: Iterable[str]) -> str:
    """Up to 40 names for a message, joined by commas."""
    names = list(names)
    return ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
