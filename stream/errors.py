"""The error of a run that ends early, and clear errors for calls that do not fit a signature."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
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
