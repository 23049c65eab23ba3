"""Whole numbers of settings: exact, or an error."""

from __future__ import annotations

import numbers
import operator
from decimal import Decimal
from fractions import Fraction

from pydantic_core import PydanticCustomError

EXACT = 2**53  # from here on, a float may be another number than the one that was meant
LARGE = 10**30  # no setting is as large; 1E999999999 as an int would fill the memory


def exact_integer(value: object) -> object:
    """A number as an int of Python. Texts and None are returned unchanged; pydantic reads them.

    Pydantic itself would convert the numbers of other libraries through a float, and so change those above 2**53.

    Raises:
        PydanticCustomError: The value is no whole number, a float from 2**53 on, or a Decimal from 10**30 on.
    """
    if value is None or isinstance(value, str) or type(value) is int:
        return value
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # no integer type; ValueError: an array of several
        pass
    if isinstance(value, Fraction) and value.denominator == 1:
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        if -LARGE < value < LARGE:
            return int(value)
        raise PydanticCustomError("large", "Input should be a whole number below 10**30")
    if isinstance(value, numbers.Real) and not isinstance(value, Fraction | bool) and float(value).is_integer():
        if abs(float(value)) < EXACT:
            return int(float(value))
        raise PydanticCustomError("exact", "Input should be an integer, because floats from 2**53 on are not exact")
    raise PydanticCustomError("int_other", "Input should be a whole number")
