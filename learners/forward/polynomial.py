"""FLOPs of a batch of any shape from four coefficients (see `learners.forward.flops`)."""

from __future__ import annotations

import numpy as np


def total_flops(per_row: np.ndarray, rows: int, length: int) -> float:
    """FLOPs of a batch [rows, length], padding included."""
    return float(np.dot(per_row, terms(rows, length)))


def terms(rows: int, length: int) -> tuple[int, ...]:
    """The factors of the four coefficients for a batch of this shape."""
    return 1, rows, rows * length, rows * length**2
