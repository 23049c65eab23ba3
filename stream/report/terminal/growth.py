"""The growth chart: kept parameters of each learner, in multiples of the backbone (Houlsby et al. 2019, section 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import LEARNER_COLOURS, Page
from stream.report.learner_summary import Row, last, summaries
from stream.report.names import packed
from stream.report.numbers import growth as times
from stream.results.results import Results

HEIGHT = 12  # lines of the chart: with axis and key it fits a terminal of 24 lines
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MARGIN = 9  # cells of the y axis: a label such as 1.574x, a blank and a line


def growth_chart(results: Results, page: Page) -> RenderableType:
    """Returns one chart of all learners. x: arrivals; y, log scale: kept parameters in multiples of the backbone."""
    learners = summaries(results)
    curves = [learner.growth for learner in learners]
    known = [value for curve in curves for value in curve if value is not None and value > 0]
    if not known:
        return Text("No growth was recorded.", style="dim")
    low = min(1.0, *known)
    high = max(low * 1.1, *known)  # a flat curve still needs a scale
    width = max(1, min(page.width - MARGIN, 100))
    cells = plot(curves, len(results.order), width, low, high)
    lines: list[Text] = [chart_line(row, cells, width, low, high, page) for row in range(HEIGHT)]
    lines.append(x_axis(len(results.order), width, page))
    entries = [
        (index, f"{page.text(learner.name)} {times(last(learner.growth), page)}")
        for index, learner in enumerate(learners)
    ]
    caption = (
        "x axis: arrivals. y axis, log scale: parameters kept for all tasks so far, with heads, in multiples of the "
        "backbone. Letters alternate where curves overlap."
    )
    return Group(*lines, *key(entries, page), Text(caption, style="dim"))


def plot(curves: Sequence[Row], tasks: int, width: int, low: float, high: float) -> dict[tuple[int, int], int]:
    """Returns the index of the learner to draw at each (row, column). Row 0 is the top."""
    at: dict[tuple[int, int], list[int]] = {}
    for index, curve in enumerate(curves):
        for column in range(width):
            value = interpolated(curve, 1 + column * (tasks - 1) / max(width - 1, 1))
            if value is not None and value > 0 and (tasks > 1 or column == 0):
                height = math.log(max(value, low) / low) / math.log(high / low)
                at.setdefault((HEIGHT - 1 - round(height * (HEIGHT - 1)), column), []).append(index)
    return {(row, column): present[column % len(present)] for (row, column), present in at.items()}


def interpolated(curve: Row, arrival: float) -> float | None:
    """Returns the value of the curve between two arrivals (from 1); None outside it or beside a missing value."""
    left = math.floor(arrival + 1e-9)
    right = math.ceil(arrival - 1e-9)
    if right > len(curve):
        return None
    before, after = curve[left - 1], curve[right - 1]
    return None if before is None or after is None else before + (after - before) * (arrival - left)


def chart_line(row: int, cells: Mapping[tuple[int, int], int], width: int, low: float, high: float, page: Page) -> Text:
    label = ""
    if (HEIGHT - 1 - row) % 3 == 0 or row == 0:
        label = times(low * (high / low) ** ((HEIGHT - 1 - row) / (HEIGHT - 1)), page)
    bar = "|" if page.ascii else "┤" if label else "│"
    line = Text(f"{label:>{MARGIN - 2}}{bar} ", style="dim")
    for column in range(width):
        index = cells.get((row, column))
        line.append(" ") if index is None else line.append(letter(index), colour(index))
    line.rstrip()
    return line


def x_axis(tasks: int, width: int, page: Page) -> Text:
    if tasks == 1:
        return Text(" " * MARGIN + "1", style="dim")
    marks = [" "] * width
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 10**9) if tasks / step <= max(width / 5, 1))
    for arrival in sorted({1, tasks, *range(every, tasks + 1, every)}, key=lambda n: (n not in (1, tasks), n)):
        label = str(arrival)
        start = min(round((arrival - 1) * (width - 1) / (tasks - 1)), width - len(label))
        if start >= 0 and all(mark == " " for mark in marks[max(start - 1, 0) : start + len(label) + 1]):
            marks[start : start + len(label)] = label
    return Text(" " * MARGIN + "".join(marks).rstrip(), style="dim")


def key(entries: Sequence[tuple[int, str]], page: Page) -> list[Text]:
    """Returns the letter, the learner and the last growth of each curve."""
    return packed([Text.assemble((letter(index), colour(index)), f" {words}") for index, words in entries], page.width)


def letter(index: int) -> str:
    return LETTERS[index % len(LETTERS)]


def colour(index: int) -> str:
    return f"bold {LEARNER_COLOURS[index % len(LEARNER_COLOURS)]}"
