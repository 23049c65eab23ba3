"""Options of a family of learners: how the text of one is read, and a value written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option of a family: how its text is read, its default, and what it means.

    `parse` raises ValueError with what it expects. `bare` is the value of the option's name alone ("l0").
    """

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    bare: Any = None


def choice(*values: str) -> Callable[[str], str]:
    """Parser of one word out of `values`."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return text

    return parse


def integer(low: int, high: int) -> Callable[[str], int]:
    """Parser of a whole number in [low, high]."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """Parser of a number in [low, high]."""

    def parse(text: str) -> float:
        try:
            value = float(text) if re.fullmatch(r"[0-9.eE+-]+", text) else math.nan  # no digits but 0 to 9, no 1_000
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def switch(text: str) -> bool:
    """Parser of yes or no."""
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def option_text(value: Any) -> str:
    """A value as a specification writes it; a float in full: learners that differ have different names."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
