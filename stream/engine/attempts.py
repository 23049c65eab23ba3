"""Several steps whose errors are reported together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tasks.errors import InputError, InputErrors

T = TypeVar("T")


class Attempts:
    """Does steps and collects their errors.

    Attributes:
        errors: The errors so far.
    """

    def __init__(self) -> None:
        self.errors: list[InputError] = []

    def __call__(self, step: Callable[[], T]) -> T | None:
        """Returns what a step returns; None if it raises an InputError."""
        try:
            return step()
        except InputError as error:
            self.errors.extend(error.errors)
        return None

    def check(self) -> None:
        """Raises all errors so far together.

        Raises:
            InputErrors: There are any.
        """
        if self.errors:
            raise InputErrors(self.errors)
