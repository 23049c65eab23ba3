"""The accuracy matrix R: the score of each task before training and after each arrival, with its provenance."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import chain
from typing import get_args

import numpy as np
import numpy.typing as npt

from stream.storage.cell import Provenance
from tasks.errors import InputError

Row = tuple[float | None, ...]
ProvenanceRow = tuple[Provenance | None, ...]


@dataclass(frozen=True)
class AccuracyMatrix:
    """The scores of a stream of T tasks, finished or not. None means not evaluated.

    Attributes:
        tasks: Names in order of arrival.
        before: Score of each task before any training (b), [T].
        rows: Row i holds the scores after arrival i + 1, [arrivals, T]. An unfinished stream has fewer rows than tasks.
        provenance: How each cell of `rows` was obtained, in the same shape; None if not evaluated or not known.
            Default: None in every cell.

    Raises:
        ValueError: The shapes do not match, a name is repeated or empty, a score is outside [-1, 1], a provenance is
            unknown, or a cell has a provenance and no score.
    """

    tasks: tuple[str, ...]
    before: Row
    rows: tuple[Row, ...] = ()
    provenance: tuple[ProvenanceRow, ...] = ()

    def __post_init__(self) -> None:
        if self.rows and not self.provenance:
            object.__setattr__(self, "provenance", tuple((None,) * len(row) for row in self.rows))
        width = len(self.tasks)
        if len(set(self.tasks)) != width or not all(self.tasks):
            raise ValueError(f"task names must be distinct and not empty: {self.tasks}")
        if len(self.rows) > width:
            raise ValueError(f"{len(self.rows)} arrivals, but only {width} tasks")
        for what, rows in (("rows", self.rows), ("provenance", self.provenance)):
            if len(rows) != len(self.rows) or any(len(row) != width for row in rows):
                raise ValueError(f"{what} must be [{len(self.rows)}, {width}]: one cell per task")
        if len(self.before) != width:
            raise ValueError(f"before must hold {width} scores, not {len(self.before)}")
        for cell in chain(self.before, *self.rows):
            if cell is not None and not -1 <= cell <= 1:
                raise ValueError(f"scores are fractions in [-1, 1], not {cell}")
        known = get_args(Provenance)
        for cell, how in zip(chain(*self.rows), chain(*self.provenance), strict=True):
            if how is not None and (cell is None or how not in known):
                raise ValueError(f"provenance {how!r} for the score {cell}")

    @property
    def arrivals(self) -> int:
        """Number of arrivals so far."""
        return len(self.rows)


def as_array(matrix: AccuracyMatrix) -> npt.NDArray[np.float64]:
    """Returns R as [T + 1, T]: row 0 is before training, row i after arrival i. NaN if not evaluated or not reached."""
    width = len(matrix.tasks)
    cells = np.full((width + 1, width), np.nan)
    for index, row in enumerate((matrix.before, *matrix.rows)):
        cells[index] = [np.nan if cell is None else cell for cell in row]
    return cells


def to_csv(matrix: AccuracyMatrix) -> str:
    """Returns R as CSV text: a header (`after` and the task names), a row `before`, then one row per arrival.

    The first cell of a row is the task that arrived. Scores are written with all digits, so reading them gives the same
    bits. An empty cell was not evaluated. The text has no provenance.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("after", *matrix.tasks))
    labels = ("before", *matrix.tasks[: matrix.arrivals])
    for label, row in zip(labels, (matrix.before, *matrix.rows), strict=True):
        writer.writerow((label, *("" if cell is None else repr(float(cell)) for cell in row)))
    return text.getvalue()


def from_csv(text: str, *, where: str = "R.csv") -> AccuracyMatrix:
    """Reads the text that `to_csv` wrote. The provenance of every cell is None.

    Args:
        where: Name of the file, for error messages.

    Raises:
        InputError: The text is not such a matrix.
    """
    header, *lines = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    if header[:1] != ["after"] or len(header) < 2 or not lines:
        expected = "the columns 'after' and the task names, then a row 'before'"
        raise InputError(
            "not an accuracy matrix", where=where, expected=expected, found=",".join(header)[:80] or "nothing"
        )
    tasks = tuple(header[1:])
    for number, (label, line) in enumerate(zip(("before", *tasks), lines, strict=False), start=2):
        if line[:1] != [label] or len(line) != len(header):
            expected = f"{label!r} and {len(tasks)} scores"
            raise InputError(f"bad row in line {number}", where=where, expected=expected, found=",".join(line)[:80])
    try:
        before, *rows = (tuple(float(cell) if cell else None for cell in line[1:]) for line in lines)
        return AccuracyMatrix(tasks=tasks, before=before, rows=tuple(rows))
    except ValueError as error:
        raise InputError(str(error), where=where) from error
