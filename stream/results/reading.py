"""Reads values of a JSON document and checks their types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING

from tasks.errors import InputError

if TYPE_CHECKING:  # NumPy is slow to import, and the command must print something first
    import numpy as np
    import numpy.typing as npt


def number(value: object) -> float | None:
    """Returns `value` if it is a finite number, else None. A missing number must never become 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def whole(value: object) -> int | None:
    """Returns `value` as an integer; None if it is not a finite number."""
    found = number(value)
    return None if found is None else int(found)


def text(value: object) -> str:
    """Returns `value` as text; empty if it is missing."""
    return "" if value is None else str(value)


def section(value: object, where: str) -> Mapping[str, object]:
    """Returns a JSON object; an empty one if it is missing.

    Raises:
        InputError: `value` is not an object.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise damaged(where, "a JSON object", value)
    return value


def items(value: object, where: str) -> Sequence[object]:
    """Returns a JSON array; an empty one if it is missing.

    Raises:
        InputError: `value` is not an array.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise damaged(where, "a JSON array", value)
    return value


def numbers(value: object, where: str) -> tuple[float | None, ...]:
    """Returns a JSON array of numbers; None for an entry that is not a number."""
    return tuple(number(entry) for entry in items(value, where))


def by_task(value: object, where: str) -> dict[str, int]:
    """Returns the whole number of each task that has one."""
    found = {task: whole(entry) for task, entry in section(value, where).items()}
    return {task: entry for task, entry in found.items() if entry is not None}


def cells(value: object, tasks: int, where: str) -> tuple[npt.NDArray[np.float64], int]:
    """Returns R as [T + 1, T], with NaN for a cell without a score, and the number of rows in `value`.

    Args:
        tasks: T, the number of tasks.

    Raises:
        InputError: `value` is not an array of arrays, or has more than T + 1 rows or T columns.
    """
    import numpy as np

    rows = [items(row, where) for row in items(value, where)]
    if len(rows) > tasks + 1 or any(len(row) > tasks for row in rows):
        widest = max(map(len, rows))
        raise damaged(where, f"at most {tasks + 1} rows of {tasks} scores", f"{len(rows)} rows of up to {widest}")
    matrix = np.full((tasks + 1, tasks), np.nan)
    for index, row in enumerate(rows):
        # Fast path: most rows hold only floats and None, and a long stream has a million cells.
        plain = {type(cell) for cell in row} <= {float, NoneType}
        matrix[index, : len(row)] = np.array(row if plain else [number(cell) for cell in row], dtype=np.float64)
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix, len(rows)


def damaged(where: str, expected: str, found: object) -> InputError:
    shown = found if isinstance(found, str) else f"{type(found).__name__} {found!r}"
    return InputError(
        "damaged results", where=where, expected=expected, found=shown[:80], fix="give the run's command again"
    )
