"""FLOPs of a batch of any shape from four coefficients (see `learners.forward.flops`)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Count = Callable[[int, int, int], int]  # FLOPs of a batch: rows, length, outputs of the head


def total_flops(per_row: np.ndarray, rows: int, length: int) -> float:
    """FLOPs of a batch [rows, length], padding included."""
    return float(np.dot(per_row, (1, rows, rows * length, rows * length**2)))


def fitted(count: Count) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients for one output, and what each further output adds; float64 [4] each.

    Counts on four shapes determine the four coefficients.
    """
    one, two, three, rows = count(1, 1, 1), count(1, 2, 1), count(1, 3, 1), count(2, 1, 1)
    c2 = (three - 2 * two + one) / 2  # of S²: the second difference
    c1 = two - one - 3 * c2
    c0 = rows - one - c1 - c2
    each = count(1, 1, 2) - one  # of the head, whose input has no length
    return np.array([one - c0 - c1 - c2, c0, c1, c2], dtype=float), np.array([0.0, each, 0.0, 0.0])
