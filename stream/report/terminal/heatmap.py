"""The accuracy matrix R as a heat map: one map per learner, one column per task, one row per arrival.

With colour, a line of half blocks shows two rows of R. Without colour, one digit per cell shows the score in tenths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import LearnerSummary, Row, summaries
from stream.report.names import legend, shown_names
from stream.report.numbers import mean
from stream.results.results import Results

# viridis (van der Walt and Smith, 2015) at ten equal steps: its lightness rises evenly, for colour-blind readers too.
SHADES = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725")
FINE = 3  # a cell may average up to 3 x 3 cells of R; a coarser map need not fill the page
BLOCKS = 33  # cells per side of a coarser map: two of them fit side by side in 80 columns
GAP = 3  # cells between two maps side by side


def heatmap(results: Results, page: Page) -> RenderableType:
    """Returns all maps, as many side by side as fit, and below them the scale."""
    learners = summaries(results)
    tasks = len(results.order)
    margin = len(str(tasks)) + 1
    step = max(1, math.ceil(tasks / max(page.width - margin, 1)))
    step = step if step <= FINE else max(step, math.ceil(tasks / BLOCKS))
    columns = math.ceil(tasks / step)
    # Two cells per task look better, but one cell is used if only then two maps fit side by side and can be compared.
    cell = 2 if 2 * (margin + 2 * columns) + GAP <= page.width or (len(learners) == 1 and step == 1) else 1
    cell = 1 if margin + 2 * columns > page.width else cell
    width = max(margin + cell * columns, 12)
    abreast = max(1, min(len(learners), (page.width + GAP) // (width + GAP)))
    grid = Table.grid(padding=(0, GAP, 0, 0))
    for _ in range(abreast):
        grid.add_column(width=width, no_wrap=True, overflow="crop")
    names = [page.text(learner.name) for learner in learners]
    short = shown_names(names, width, names)
    maps = [
        Group(Text(name, style="bold"), *learner_map(learner, tasks, step, cell, width, page))
        for learner, name in zip(learners, short, strict=True)
    ]
    for start in range(0, len(maps), abreast):
        grid.add_row(*maps[start : start + abreast])
        grid.add_row()
    has_before = any(score is not None for learner in learners for score in learner.before)
    return Group(grid, *legend(names, short, page), scale(step, has_before, page))


def learner_map(learner: LearnerSummary, tasks: int, step: int, cell: int, width: int, page: Page) -> list[Text]:
    """Returns task numbers and rows of one map, each at most `width` cells wide."""
    margin = len(str(tasks)) + 1
    rows, labels = binned(learner, step)
    draw = half_blocks if page.colour else digits
    ruler = Text(" " * margin + ruler_line(tasks, step, cell)[: max(width - margin, 0)], style="dim")
    body = [Text(f"{label:>{margin - 1}} ", style="dim") + line for label, line in draw(rows, labels, cell, page)]
    return [ruler, *body]


def binned(learner: LearnerSummary, step: int) -> tuple[list[Row], list[int]]:
    """Returns the rows of R and their arrival numbers; each cell is the mean of `step` x `step` cells of R.

    Row 0 is before training; it is left out if it was not measured.
    """
    rows = [block_row(learner.rows[start : start + step], step) for start in range(0, len(learner.rows), step)]
    labels = [start + 1 for start in range(0, len(learner.rows), step)]
    if any(score is not None for score in learner.before):
        return [block_row([learner.before], step), *rows], [0, *labels]
    return rows, labels


def block_row(rows: Sequence[Row], step: int) -> Row:
    tasks = len(rows[0])
    blocks = ([score for row in rows for score in row[start : start + step]] for start in range(0, tasks, step))
    return tuple(mean(block) for block in blocks)


def ruler_line(tasks: int, step: int, cell: int) -> str:
    """Returns a line with the numbers of columns 1, 5, 10, ..., each above the first cell of its column."""
    columns = math.ceil(tasks / step)
    marks = [" "] * (columns * cell)
    for column in (0, *range(4, columns, 5)):
        label, start = str(column * step + 1), column * cell
        is_free = all(mark == " " for mark in marks[max(start - 1, 0) : start + len(label)])
        if is_free and start + len(label) <= len(marks):
            marks[start : start + len(label)] = label
    return "".join(marks)


def decile(score: float) -> int:
    """Returns the score in tenths: 0 below 0.1 (also for negative correlations), 9 from 0.9 on."""
    return min(9, max(0, math.floor(10 * score + 1e-9)))


def half_blocks(rows: Sequence[Row], labels: Sequence[int], cell: int, page: Page) -> list[tuple[int, Text]]:
    """Draws two rows of R per line: the upper row is the colour of a block, the lower row the colour behind it."""
    lower, upper, full = ("#", "#", "#") if page.ascii else ("▄", "▀", "▀")
    lines: list[tuple[int, Text]] = []
    for index in range(0, len(rows), 2):
        line = Text()
        below = rows[index + 1] if index + 1 < len(rows) else (None,) * len(rows[index])
        for above_score, below_score in zip(rows[index], below, strict=True):
            above_shade = SHADES[decile(above_score)] if above_score is not None else None
            below_shade = SHADES[decile(below_score)] if below_score is not None else None
            if above_shade and below_shade:
                line.append(full * cell, Style(color=above_shade, bgcolor=below_shade))
            elif above_shade or below_shade:
                line.append((upper if above_shade else lower) * cell, Style(color=above_shade or below_shade))
            else:
                line.append(" " * cell)
        lines.append((labels[index], line))
    return lines


def digits(rows: Sequence[Row], labels: Sequence[int], cell: int, page: Page) -> list[tuple[int, Text]]:
    """Draws one row of R per line, with one digit per cell."""
    return [
        (label, Text("".join(f"{page.dot if score is None else decile(score):<{cell}}" for score in row)))
        for label, row in zip(labels, rows, strict=True)
    ]


def scale(step: int, has_before: bool, page: Page) -> Text:
    """Returns the explanation of colours or digits, rows and columns."""
    key = Text()
    if page.colour:
        key.append("0 ")
        for shade in SHADES:
            key.append("##" if page.ascii else "██", Style(color=shade))
        key.append(" 100 points; blank: not evaluated. ", "dim")
    else:
        key.append(f"digit: score in tenths, 9 is 90 to 100 points; {page.dot} not evaluated. ", "dim")
    key.append("Columns: tasks in order of arrival. Rows: number of arrivals so far.", "dim")
    if has_before:
        key.append(" Row 0: before training.", "dim")
    if step > 1:
        key.append(f" Each cell is the mean of {step} x {step}.", "dim")
    return key
