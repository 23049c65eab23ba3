"""The accuracy matrix R of each learner as a heat map. Each cell shows the evidence for its score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.marks import PAGE, Badge, badge
from stream.report.html.record import MANY, Record
from stream.report.learner_summary import LearnerSummary
from stream.report.names import cut
from stream.report.numbers import points
from stream.report.palette import shade
from stream.report.terminal.heatmap import binned
from stream.results.results import Results, TaskInfo
from stream.storage.cell import Provenance

SIDE = 320.0  # width of all cells of a map together, pixels
LARGEST = 36.0  # largest width of a cell, pixels
FEW = 8  # with up to 8 rows, each row has its number
NAMED = 8.5  # least width of a cell, pixels, at which the names of tasks fit above the columns
NAME_WIDTH = 22  # characters of a task's name above a column
SHORT = 12  # digits of a hash: enough to distinguish the cells of a run
FAILED = "failed"
PARTLY: Provenance = "partly-measured"


@dataclass(frozen=True)
class Square:
    """A cell of the map: row and column from 0, its colour (empty if the fit failed), its text, and whether it was only
    partly measured, for which it has a ring."""

    row: int
    column: int
    colour: str
    title: str
    partly: bool = False


Numbers = Sequence[tuple[int, int]]  # the row or column of the map, and the number beside it


@dataclass(frozen=True)
class HeatMap:
    """The map of one learner.

    Attributes:
        rows, columns: Numbers of rows and columns of the map.
        cell: Width and height of a cell, pixels.
        squares: Cells that were evaluated or failed. All other cells show the background.
        top: Height above the cells, pixels.
        down: Numbers of arrivals beside rows; 0 is before training.
        names: Names of the tasks above the columns; empty if there is no room.
        across: Numbers of tasks above the columns, if there are no names.
        label: Description for screen readers.
    """

    learner: Badge
    rows: int
    columns: int
    cell: float
    squares: Sequence[Square]
    top: float
    down: Numbers
    names: Sequence[str]
    across: Numbers
    label: str


@dataclass(frozen=True)
class Matrices:
    """All maps, notes about them, and `scale`: the colours of 0, 10, ..., 100 points."""

    maps: Sequence[HeatMap]
    notes: Sequence[str]
    scale: Sequence[str]

    @property
    def partly(self) -> bool:
        """Whether a cell has a ring."""
        return any(square.partly for each in self.maps for square in each.squares)


def matrices(results: Results, learners: Sequence[LearnerSummary], record: Record) -> Matrices:
    """Returns a map for each learner: columns are tasks, rows are arrivals. Row 0 is before training, if measured."""
    step = max(1, math.ceil(len(results.order) / MANY))
    maps = [heat_map(badge(index, x.name), x, results, record, step) for index, x in enumerate(learners)]
    notes = [record.notice] if record.notice else []
    if step > 1:
        notes.append(f"Each cell is the mean of {step} x {step} cells; R.csv has all of them.")
    return Matrices(maps, notes, [shade(tenth / 10) for tenth in range(11)])


def heat_map(name: Badge, learner: LearnerSummary, results: Results, record: Record, step: int) -> HeatMap:
    """Returns the map of one learner. Each cell is the mean of `step` x `step` cells of R."""
    rows, labels = binned(learner, step)
    columns = math.ceil(len(results.order) / step)
    cell = min(SIDE / columns, LARGEST)
    squares = []
    for line, (row, label) in enumerate(zip(rows, labels, strict=True)):
        titles = titles_of(learner, label, results, record) if step == 1 else block_titles(row, label, step)
        for place, (score, title) in enumerate(zip(row, titles, strict=True)):
            if score is not None or title.startswith(FAILED):
                partly = step == 1 and results[learner.name].provenance[label, place] == PARTLY
                squares.append(Square(line, place, "" if score is None else shade(score), title, partly))
    words = f"R of {name.name}: {columns} columns, {len(rows)} rows; mean score now {points(learner.average, PAGE)}"
    down, across = rulers(labels, columns, step, cell)
    names = [cut(task, NAME_WIDTH) for task in results.order] if step == 1 and cell >= NAMED else []
    top = 10 + 6.2 * max(map(len, names)) if names else 24.0
    return HeatMap(name, len(rows), columns, cell, squares, top, down, names, [] if names else across, words)


def titles_of(learner: LearnerSummary, arrival: int, results: Results, record: Record) -> list[str]:
    """Returns the text of each cell of a row: task, arrival, score, test examples, hashes, provenance."""
    order, source = results.order, results[learner.name]
    row = learner.rows[arrival - 1] if arrival else learner.before
    hows = source.provenance[arrival].tolist()
    failed = {failure.task: failure for failure in source.failures}
    when = f"after arrival {arrival} ({order[arrival - 1]})" if arrival else "before any training"
    titles = []
    for place, (task, score) in enumerate(zip(order, row, strict=True)):
        if score is None:
            failure = failed.get(task)
            is_due = failure is not None and place < arrival and failure.arrival <= arrival
            titles.append(f"{FAILED}: {task} {when}: {failure.message}" if failure and is_due else "not evaluated")
            continue
        how = hows[place] or ("unknown" if arrival else "measured")  # early versions did not record it for row 0
        facts = [f"{task} {when}", f"{points(score, PAGE)} points", *evidence(learner, arrival, place, results, record)]
        titles.append(" · ".join([*facts, how]))
    return titles


def evidence(learner: LearnerSummary, arrival: int, place: int, results: Results, record: Record) -> list[str]:
    """Returns test examples and hashes of a cell. A certified cell has those of the first evaluation of its task."""
    task, row = results.order[place], learner.rows[arrival - 1] if arrival else learner.before
    found = record.cells.get((learner.name, arrival, task))
    if found is None and arrival > place:
        found = record.cells.get((learner.name, place + 1, task))
    if found is None or found.score != row[place]:  # the ledger is newer than the results, or belongs to another run
        n = results.tasks.get(task, TaskInfo()).test
        return [] if n is None else [f"n {n}"]
    hashes = [f"{name} {value[:SHORT]}" for name, value in (("logits", found.logits), ("Delta", found.delta)) if value]
    return [f"n {found.n}", *hashes]


def block_titles(row: tuple[float | None, ...], label: int, step: int) -> list[str]:
    """Returns the texts of cells that are means of several cells of R."""
    when = f"after arrivals {label} to {label + step - 1}" if label else "before any training"
    starts = range(1, step * len(row) + 1, step)
    return [
        f"tasks {start} to {start + step - 1} {when} · mean {points(score, PAGE)}"
        for start, score in zip(starts, row, strict=True)
    ]


def rulers(labels: Sequence[int], columns: int, step: int, cell: float) -> tuple[Numbers, Numbers]:
    """Returns the numbers of arrivals and of tasks: the first and every fifth, or all if there are few."""
    every = 1 if columns <= FEW else 5
    across = [(column, column * step + 1) for column in sorted({0, *range(every - 1, columns, every)})]
    down = [(line, label) for line, label in enumerate(labels) if label < 2 or (label - 1) // step % every == every - 1]
    if down[1:2] and down[1][1] == 1 and down[0][1] == 0 and cell < 12:
        del down[1]  # no room for 0 and 1
    return down, across
