"""Reads numbers from a config and checks them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from tasks.errors import InputError

MAX_SIZE = 2**31 - 1  # largest number that a config may state
MAX_LAYERS = 1000  # published encoders have up to 48; the names of a billion layers would fill the memory
# Names of functions between the two feed-forward matrices, as transformers has them (`ACT2FN`).
ACTIVATIONS = (
    "gelu",
    "gelu_new",
    "gelu_pytorch_tanh",
    "gelu_fast",
    "gelu_python",
    "quick_gelu",
    "relu",
    "silu",
    "swish",
    "tanh",
)


def integer(config: Mapping[str, Any], key: str, where: str, *, default: int = 0, at_least: int = 0) -> int:
    """Returns the whole number under a key.

    Args:
        config: The parsed config.
        key: Key of the number.
        where: File or name for error messages.
        default: Value if the key is missing.
        at_least: Smallest allowed value.

    Raises:
        InputError: The value is not a whole number, or it is out of range.
    """
    value = config.get(key, default)
    most = MAX_LAYERS if key in ("num_hidden_layers", "n_layers") else MAX_SIZE
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= most:
        expected = f"an integer from {at_least} to {most:,}"
        raise InputError(f"invalid {key}", where=where, expected=expected, found=reprlib.repr(value))
    return value


def real(config: Mapping[str, Any], key: str, default: float, where: str, *, zero: bool = False) -> float:
    """Returns the number under a key; it must be below 1, and above 0, or at least 0 if `zero`.

    Args:
        config: The parsed config.
        key: Key of the number.
        default: Value if the key is missing.
        where: File or name for error messages.
        zero: Whether 0 is allowed.

    Raises:
        InputError: The value is not a number, or it is out of range.
    """
    value = config.get(key, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 < value < 1 or (zero and value == 0)):
        expected = f"a number {'from' if zero else 'above'} 0 and below 1"
        raise InputError(f"invalid {key}", where=where, expected=expected, found=reprlib.repr(value))
    return float(value)
