"""A cell of a table as text, whatever type the table gives it."""

from __future__ import annotations

import math
import re
from datetime import date, time
from decimal import Decimal

import numpy as np

CELLS = "valid Unicode text, a number or a date"  # what a cell may be, for messages
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair: valid in JSON, but not in UTF-8


def cell_text(value: object) -> str | None:
    """A cell as text; None if it has no plain text, as a list, or bytes that are not UTF-8 text.

    Missing values (None, NaN) become "". A number without a fraction becomes an integer, so that labels are equal in
    all formats. Dates and times are written as in ISO 8601, with a space between them: "2024-05-01 13:00:00".
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in value else value
    if isinstance(value, str):
        return value if value.isascii() or not SURROGATE.search(value) else None
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return str(int(value)) if value == value.to_integral_value() else f"{value:f}"
    return str(value) if isinstance(value, bool | int | float | date | time) else None
