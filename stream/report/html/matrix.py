"""The accuracy matrix R of each learner as a heat map; each cell tells what evidence its score has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.marks import PAGE, Badge, badge
from stream.report.html.record import MANY, Record
from stream.report.learner_summary import LearnerSummary
from stream.report.numbers import points
from stream.report.palette import shade
from stream.report.terminal.heatmap import binned
from stream.results.results import Results, TaskInfo

SIDE = 320.0  # pixels that the cells of a map have across
LARGEST = 36.0  # pixels a cell, of few tasks
FEW = 8  # tasks that all have their number
SHORT = 12  # digits of a hash that tell cells of a run apart
FAILED = "failed"


@dataclass(frozen=True)
class Square:
    """A cell of the map, counted from 0: its colour (empty where the fit failed), and its text."""

    row: int
    column: int
    colour: str
    title: str


Numbers = Sequence[tuple[int, int]]  # place of a row or column, and the number that stands there


@dataclass(frozen=True)
class HeatMap:
    """The map of one learner.

    Attributes:
        rows, columns: Of the map; the numbers of arrivals and of tasks that stand beside them are `down` and `across`.
        cell: Pixels a side.
        squares: Cells that were evaluated or failed; the ground shows where there is none.
    """

    learner: Badge
    rows: int
    columns: int
    cell: float
    squares: Sequence[Square]
    down: Numbers
    across: Numbers
    label: str


@dataclass(frozen=True)
class Matrices:
    """All maps, notes about them, and the colours of scores from 0 to 100 points."""

    maps: Sequence[HeatMap]
    notes: Sequence[str]
    scale: Sequence[str]


def matrices(results: Results, learners: Sequence[LearnerSummary], record: Record) -> Matrices:
    """A map for each learner: tasks across, arrivals down, row 0 before any training where it was measured."""
    step = max(1, math.ceil(len(results.order) / MANY))
    maps = [heat_map(badge(index, x.name), x, results, record, step) for index, x in enumerate(learners)]
    notes = [record.notice] if record.notice else []
    if step > 1:
        notes.append(f"Each cell is the mean of {step} x {step} cells; R.csv has all of them.")
    return Matrices(maps, notes, [shade(tenth / 10) for tenth in range(11)])


def heat_map(name: Badge, learner: LearnerSummary, results: Results, record: Record, step: int) -> HeatMap:
    """The map of one learner, `step` x `step` cells of R averaged into one."""
    rows, labels = binned(learner, step)
    columns = math.ceil(len(results.order) / step)
    cell = min(SIDE / columns, LARGEST)
    squares = []
    for line, (row, label) in enumerate(zip(rows, labels, strict=True)):
        titles = titles_of(learner, label, results, record) if step == 1 else block_titles(row, label, step)
        for place, (score, title) in enumerate(zip(row, titles, strict=True)):
            if score is not None or title.startswith(FAILED):
                squares.append(Square(line, place, "" if score is None else shade(score), title))
    words = f"R of {name.name}: {columns} columns, {len(rows)} rows; mean score now {points(learner.average, PAGE)}"
    return HeatMap(name, len(rows), columns, cell, squares, *rulers(labels, columns, step, cell), words)


def titles_of(learner: LearnerSummary, arrival: int, results: Results, record: Record) -> list[str]:
    """What each cell of a row is, in one line: task, arrival, score, test examples, hashes, provenance."""
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
        how = "measured" if not arrival else hows[place] or "unknown"
        facts = [f"{task} {when}", f"{points(score, PAGE)} points", *evidence(learner, arrival, place, results, record)]
        titles.append(" · ".join([*facts, how]))
    return titles


def evidence(learner: LearnerSummary, arrival: int, place: int, results: Results, record: Record) -> list[str]:
    """Test examples and hashes of a cell. A certified cell has those of the evaluation when its task arrived."""
    task, row = results.order[place], learner.rows[arrival - 1] if arrival else learner.before
    found = record.cells.get((learner.name, arrival, task))
    if found is None and arrival > place:
        found = record.cells.get((learner.name, place + 1, task))
    if found is None or found.score != row[place]:  # of a ledger that goes on after these results, or of another run
        n = results.tasks.get(task, TaskInfo()).test
        return [] if n is None else [f"n {n}"]
    hashes = [f"{name} {value[:SHORT]}" for name, value in (("logits", found.logits), ("Delta", found.delta)) if value]
    return [f"n {found.n}", *hashes]


def block_titles(row: tuple[float | None, ...], label: int, step: int) -> list[str]:
    """The same of cells that are means of several."""
    when = f"after arrivals {label} to {label + step - 1}" if label else "before any training"
    starts = range(1, step * len(row) + 1, step)
    return [
        f"tasks {start} to {start + step - 1} {when} · mean {points(score, PAGE)}"
        for start, score in zip(starts, row, strict=True)
    ]


def rulers(labels: Sequence[int], columns: int, step: int, cell: float) -> tuple[Numbers, Numbers]:
    """Numbers of arrivals and of tasks: the first and every fifth, or all of few."""
    every = 1 if columns <= FEW else 5
    across = [(column, column * step + 1) for column in sorted({0, *range(every - 1, columns, every)})]
    down = [(line, label) for line, label in enumerate(labels) if label < 2 or (label - 1) // step % every == every - 1]
    if down[1:2] and down[1][1] == 1 and down[0][1] == 0 and cell < 12:
        del down[1]  # no room for 0 and 1
    return down, across
