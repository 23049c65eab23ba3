"""Arguments written as `key=value` between colons, as in `simulated:seed=3:scale=0.5`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tasks.errors import InputError, unknown_name

Reader = Callable[[str], Any]  # from the text of a value; ValueError says what was expected


def read_arguments(parts: Iterable[str], readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """The values by key.

    Args:
        parts: The text between the colons.
        readers: How each key's value is read.
        where: What the user wrote, for messages.

    Raises:
        InputError: An unknown key, one given twice, or a bad value.
    """
    values: dict[str, Any] = {}
    for part in parts:
        key, equals, text = part.partition("=")
        if not equals:
            expected = ", ".join(f"{name}=VALUE" for name in readers)
            raise InputError(f"cannot read {part!r}", where=where, expected=expected)
        if key not in readers:
            raise unknown_name("argument", key, readers, where=where)
        if key in values:
            raise InputError(f"{key} is given twice", where=where)
        try:
            values[key] = readers[key](text)
        except ValueError as error:
            raise InputError(f"bad value of {key}", where=where, expected=str(error), found=repr(text)) from None
    return values


def whole(least: int, most: int) -> Reader:
    """Reads a whole number in decimal digits, of `least` to `most`."""

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= 20 and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"a whole number from {least:,} to {most:,}")

    return read


def real(least: float, most: float) -> Reader:
    """Reads a number of `least` to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text) if text.isascii() and "_" not in text else float("nan")
        except ValueError:
            value = float("nan")
        if not least <= value <= most:  # also of no number
            raise ValueError(f"a number from {least:g} to {most:g}")
        return value

    return read
