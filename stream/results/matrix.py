"""The accuracy matrix R: the score on every task before training and after every arrival, and how each was obtained."""

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
    """Scores of a stream of T tasks, finished or not; None where not evaluated.

    Attributes:
        tasks: Names in arrival order.
        before: [T]; the score of each task before any training (b).
        rows: [arrivals, T]; row i holds the scores after arrival i + 1. Fewer rows than tasks: the stream goes on.
        provenance: Shape of `rows`; how the cell was obtained, None where not evaluated or not known. May be left out.

    Raises:
        ValueError: Shapes that do not fit, repeated or empty names, scores outside [-1, 1], an unknown provenance, or
            a provenance for a cell without a score.
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
            raise ValueError(f"{len(self.rows)} arrivals of {width} tasks")
        for what, rows in (("rows", self.rows), ("provenance", self.provenance)):
            if len(rows) != len(self.rows) or any(len(row) != width for row in rows):
                raise ValueError(f"{what} must be [{len(self.rows)}, {width}], one cell a task")
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
        """How many tasks have been learned."""
        return len(self.rows)


def as_array(matrix: AccuracyMatrix) -> npt.NDArray[np.float64]:
    """R as [T + 1, T]: row 0 before training, row i after arrival i; NaN where not evaluated or not yet arrived."""
    width = len(matrix.tasks)
    cells = np.full((width + 1, width), np.nan)
    for index, row in enumerate((matrix.before, *matrix.rows)):
        cells[index] = [np.nan if cell is None else cell for cell in row]
    return cells


def to_csv(matrix: AccuracyMatrix) -> str:
    """R as CSV text: a header `after` and the task names, a row `before`, then a row per arrival named by its task.

    Scores are printed in full, so that reading them gives the same bits; empty means not evaluated. Provenance is not
    part of it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("after", *matrix.tasks))
    labels = ("before", *matrix.tasks[: matrix.arrivals])
    for label, row in zip(labels, (matrix.before, *matrix.rows), strict=True):
        writer.writerow((label, *("" if cell is None else repr(float(cell)) for cell in row)))
    return text.getvalue()


def from_csv(text: str, *, where: str = "R.csv") -> AccuracyMatrix:
    """Read what `to_csv` wrote; provenance is None throughout.

    Raises:
        InputError: Text that is no such matrix; `where` names its file.
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
