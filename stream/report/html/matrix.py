"""The accuracy matrix R of each learner as a heat map whose cells tell what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stream.report.console import Page
from stream.report.html.badge import named
from stream.report.html.markup import Markup, tag
from stream.report.html.record import MANY, Record
from stream.report.learner_summary import Standing, standings
from stream.report.numbers import points
from stream.report.palette import shade
from stream.report.terminal.heatmap import binned

SIDE = 320.0  # pixels that the cells of a map have across
LARGEST = 36.0  # pixels a cell, of few tasks
FEW = 8  # tasks that all have their number
MARGIN = 24.0  # pixels for the numbers of rows and columns
SHORT = 12  # digits of a hash that tell cells of a run apart
BEFORE = "before any training"


def matrices(results: Mapping[str, Any], record: Record, page: Page) -> Markup:
    """A map for each learner: tasks across, arrivals down, row 0 before any training where it was measured."""
    learners = standings(results)
    step = max(1, math.ceil(len(results["order"]) / MANY))
    maps = [one_map(index, learner, results, record, step, page) for index, learner in enumerate(learners)]
    notes = [record.notice] if record.notice else []
    if step > 1:
        notes.append(f"Each cell is the mean of {step} x {step}; R.csv has all of them.")
    return tag(
        "section",
        tag("h2", "Accuracy matrix R"),
        scale(),
        [tag("p", note, class_="note") for note in notes],
        tag("div", maps, class_="maps"),
        tag("p", "Point at a cell, or touch it, to read it here.", class_="readout", role="status"),
        id="matrices",
    )


def one_map(index: int, learner: Standing, results: Mapping[str, Any], record: Record, step: int, page: Page) -> Markup:
    rows, labels = binned(learner, step)
    columns = math.ceil(len(results["order"]) / step)
    cell = min(SIDE / columns, LARGEST)
    width, height = MARGIN + cell * columns, MARGIN + cell * max(len(rows), 1)
    told = step == 1
    drawn = []
    for line, (row, label) in enumerate(zip(rows, labels, strict=True)):
        titles = titles_of(learner, label, results, record, page) if told else block_titles(row, label, step, page)
        y = MARGIN + cell * line
        for place, (score, title) in enumerate(zip(row, titles, strict=True)):
            if score is not None or title.startswith("failed"):
                drawn.append(square(MARGIN + cell * place, y, cell, score, title))
    empty = tag("rect", tag("title", "not evaluated"), x=MARGIN, y=MARGIN, width=cell * columns,
                height=cell * max(len(rows), 1), class_="empty")  # fmt: skip
    words = f"R of {learner.name}: {columns} columns, {len(rows)} rows; average now {points(learner.average, page)}"
    picture = tag(
        "svg", empty, rulers(labels, columns, step, cell), drawn,
        viewBox=f"0 0 {width:.1f} {height:.1f}", class_="matrix", role="img", aria_label=words,
        style=f"max-width:{1.25 * width:.0f}px",
    )  # fmt: skip
    return tag("figure", tag("figcaption", named(index, learner.name)), picture)


def square(x: float, y: float, cell: float, score: float | None, title: str) -> Markup:
    """One cell, a hair smaller than its place where there is room for a gap."""
    side = cell - 0.6 if cell > 6 else cell
    fill = {"class_": "failed"} if score is None else {"fill": shade(score)}
    return tag("rect", tag("title", title), x=x, y=y, width=side, height=side, **fill)


def titles_of(learner: Standing, arrival: int, results: Mapping[str, Any], record: Record, page: Page) -> list[str]:
    """What each cell of a row is, in one line: task, arrival, score, test examples, provenance, hashes."""
    order, source = results["order"], results["learners"][learner.name]
    row = learner.rows[arrival - 1] if arrival else learner.before
    hows = (source.get("provenance") or [])[arrival : arrival + 1]
    failed = {failure["task"]: failure for failure in source.get("failures") or ()}
    when = f"after arrival {arrival} ({order[arrival - 1]})" if arrival else BEFORE
    titles = []
    for place, (task, score) in enumerate(zip(order, row, strict=True)):
        if score is None:
            failure = failed.get(task)
            is_due = failure is not None and place < arrival and failure["arrival"] <= arrival
            titles.append(f"failed: {task} {when}: {failure['message']}" if failure and is_due else "not evaluated")
            continue
        how = "measured" if not arrival else str(hows[0][place] if hows and place < len(hows[0]) else "") or "unknown"
        facts = [f"{task} {when}", f"{points(score, page)} points", *evidence(learner, arrival, place, results, record)]
        titles.append(" · ".join([*facts, how]))
    return titles


def evidence(learner: Standing, arrival: int, place: int, results: Mapping[str, Any], record: Record) -> list[str]:
    """Test examples and hashes of a cell. One that is certified has those of the day its task arrived."""
    task, row = results["order"][place], learner.rows[arrival - 1] if arrival else learner.before
    found = record.cells.get((learner.name, arrival, task))
    if found is None and arrival > place:
        found = record.cells.get((learner.name, place + 1, task))
    if found is None or found.score != row[place]:  # of a ledger that goes on after these results, or of another run
        n = (results.get("tasks") or {}).get(task, {}).get("test")
        return [] if n is None else [f"n {n}"]
    hashes = [f"{name} {value[:SHORT]}" for name, value in (("logits", found.logits), ("Delta", found.delta)) if value]
    return [f"n {found.n}", *hashes]


def block_titles(row: tuple[float | None, ...], label: int, step: int, page: Page) -> list[str]:
    """The same of cells that are means of several."""
    when = f"after arrivals {label} to {label + step - 1}" if label else BEFORE
    starts = range(1, step * len(row) + 1, step)
    return [
        f"tasks {start} to {start + step - 1} {when} · mean {points(score, page)}"
        for start, score in zip(starts, row, strict=True)
    ]


def rulers(labels: list[int], columns: int, step: int, cell: float) -> list[Markup]:
    """Numbers of tasks above, of arrivals at the left: the first and every fifth, or all of few."""
    every = 1 if columns <= FEW else 5
    across = [(column, column * step + 1) for column in sorted({0, *range(every - 1, columns, every)})]
    down = [(line, label) for line, label in enumerate(labels) if label < 2 or (label - 1) // step % every == every - 1]
    if down[1:2] and down[1][1] == 1 and down[0][1] == 0 and cell < 12:
        del down[1]  # no room for 0 and 1
    return [
        *(
            tag("text", str(number), x=MARGIN + cell * (column + 0.5), y=MARGIN - 7, class_="number")
            for column, number in across
        ),
        *(
            tag("text", str(label), x=MARGIN - 5, y=MARGIN + cell * (line + 0.5), dy="0.35em", class_="number down")
            for line, label in down
        ),
    ]


def scale() -> Markup:
    """The key to the colours."""
    stops = ", ".join(shade(step / 10) for step in range(11))
    bar = tag("span", class_="ramp", style=f"background:linear-gradient(90deg, {stops})")
    return tag(
        "p",
        "Across: tasks by arrival number. Down: after that many arrivals",
        "; row 0, where there is one: before any training. ",
        tag("span", "0 ", bar, " 100 points", class_="key"), " ",
        tag("span", tag("span", class_="swatch empty"), " not evaluated", class_="key"), " ",
        tag("span", tag("span", class_="swatch failed"), " failed", class_="key"),
        class_="caption",
    )  # fmt: skip
