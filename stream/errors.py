"""The error of a run that ends early, clear errors for bad calls, and errors of functions that the caller gave."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from tasks.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")


class RunFailed(Exception):
    """The run ended early. Completed work is in the ledger and the store, and the same command continues the run."""


def checks_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function: missing, unknown or extra arguments raise `InputError` instead of `TypeError`."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **given: P.kwargs) -> R:
        try:
            signature.bind(*args, **given)
        except TypeError as error:
            name = function.__name__
            expected = ", ".join(signature.parameters)
            raise InputError(str(error), where=f"{name}()", expected=expected, fix=f"see help(stream.{name})") from None
        return function(*args, **given)

    return call


class _Raised(BaseException):
    """Carries an error of the caller's function past every handler of `Exception`."""

    def __init__(self, error: Exception) -> None:
        self.error = error


@contextmanager
def errors_pass(function: Callable[P, None]) -> Iterator[Callable[P, None]]:
    """Yields `function` in a form whose errors leave the `with` block as they are.

    A function that draws or reports is called in the middle of reading, checking and training. What it raises must not
    be taken for damage of the files, for a full disk or for a failed job.
    """

    def call(*args: P.args, **given: P.kwargs) -> None:
        try:
            function(*args, **given)
        except Exception as error:
            raise _Raised(error) from error

    found: Exception | None = None
    try:
        yield call
    except _Raised as raised:
        found = raised.error
    if found is not None:
        raise found  # not in the handler, where Python would change its cause
