"""Options of a family of learners: parsers of their texts, and the text of a value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option of a family.

    Attributes:
        name: Key in a specification.
        parse: Reads the text of a value. Raises ValueError with what it expects.
        default: Value if the specification does not give the option.
        help: Meaning, as `taskstream show learner` prints it.
        bare: Value if a specification gives the name alone, as in "l0"; None: a value is required.
    """

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    bare: Any = None


def choice(*values: str) -> Callable[[str], str]:
    """Returns a parser that accepts one of `values`."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return text

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Returns a parser of whole numbers from `low` to `high`, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """Returns a parser of numbers from `low` to `high`, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text) if re.fullmatch(r"[0-9.eE+-]+", text) else math.nan  # ASCII digits only, no 1_000
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def switch(text: str) -> bool:
    """Parses yes or no."""
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def option_text(value: Any) -> str:
    """Returns the text of a value. Floats are written in full, so that different learners have different names."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
