"""Numbers out of a config, checked."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from tasks.errors import InputError

MAX_SIZE = 2**31 - 1  # of what a config states
MAX_LAYERS = 1000  # published encoders have up to 48; the names of a billion would fill the memory


def integer(config: Mapping[str, Any], key: str, where: str, *, default: int = 0, at_least: int = 0) -> int:
    """The whole number under a key.

    Raises:
        InputError: It is none, or out of range.
    """
    value = config.get(key, default)
    most = MAX_LAYERS if key in ("num_hidden_layers", "n_layers") else MAX_SIZE
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= most:
        expected = f"an integer from {at_least} to {most:,}"
        raise InputError(f"impossible {key}", where=where, expected=expected, found=reprlib.repr(value))
    return value


def real(config: Mapping[str, Any], key: str, default: float, where: str, *, zero: bool = False) -> float:
    """The number under a key, below 1, and above 0 unless `zero`.

    Raises:
        InputError: It is none, or out of range.
    """
    value = config.get(key, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 < value < 1 or (zero and value == 0)):
        expected = f"a number {'from' if zero else 'above'} 0 and below 1"
        raise InputError(f"impossible {key}", where=where, expected=expected, found=reprlib.repr(value))
    return float(value)
