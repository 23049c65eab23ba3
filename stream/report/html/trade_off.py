"""Score against trained parameters, as Houlsby et al. (2019), Figures 1 and 3, draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.report.console import Page
from stream.report.html.axis import Axis, linear, logarithmic
from stream.report.html.badge import RADIUS, mark, tone
from stream.report.html.chart import at, chart, up
from stream.report.html.markup import Markup, tag
from stream.report.learner_summary import Standing, standings
from stream.report.numbers import number, points, share
from stream.report.terminal.league import uncertainty

TITLE = "Score against trained parameters"
HEIGHT = 300.0  # pixels
NARROW = 300.0  # pixels across on a phone: badges that do not touch there do not touch anywhere
ZERO = 0.05  # where on the axis, a fraction, no parameter at all stands
REFERENCE = "full:sharing=isolated"  # canonical name of what the paper compares with: a copy of the model for each task


def trade_off(results: Mapping[str, Any], page: Page) -> Markup:
    """Trained parameters a task across, average score up; whiskers say how far the test examples leave it open."""
    learners = standings(results)
    drawn = [i for i, learner in enumerate(learners) if None not in (learner.average, learner.trained_share)]
    if not drawn:
        return tag("figure", tag("h2", TITLE), tag("p", "No learner has a score yet."), id="trade-off")
    scores = {index: 100 * (learners[index].average or 0.0) for index in drawn}
    half = uncertainty([number(task.get("test")) for task in (results.get("tasks") or {}).values()]) or 0.0
    y = linear(min(scores.values()) - half, max(scores.values()) + half, lambda value: f"{value:g}")
    x, zero = parameters_axis([learners[index].trained_share or 0.0 for index in drawn])
    centres = {index: (place_of(learners[index], x), up(y, scores[index], HEIGHT)) for index in drawn}
    moved = apart([(NARROW * a, b) for a, b in centres.values()])
    marks: list[Markup] = [reference(results, learners, y), *([zero_column()] if zero else [])]
    for index, (dx, dy) in zip(drawn, moved, strict=True):
        a, b = centres[index]
        learner = learners[index]
        title = f"{learner.name}: {points(learner.average, page)} at {share(learner.trained_share, page)} a task"
        high, low = up(y, scores[index] + half, HEIGHT), up(y, scores[index] - half, HEIGHT)
        whisker = tag("line", x1=0, x2=0, y1=high, y2=low, class_=f"whisker {tone(index)}")
        tie = tag("line", x1=0, y1=b, x2=dx, y2=b + dy, class_=f"tie {tone(index)}")
        dot = tag("circle", cx=0, cy=b, r=4, class_=f"dot {tone(index)}")
        marks.append(at(f"{100 * a:.2f}%", whisker, tie, dot, mark(index, dx, b + dy, title)))
    label = "Score against trained parameters: " + "; ".join(
        f"{learners[i].name} {scores[i]:.1f} at {share(learners[i].trained_share, page)}" for i in drawn
    )
    x_title = "trained parameters a task, heads apart, of the backbone, log scale"
    shown = chart(x, y, HEIGHT, marks, x_title=x_title, y_title="average score, points", label=label)
    return tag("figure", tag("h2", TITLE), shown, caption(half), id="trade-off")


def parameters_axis(shares: Sequence[float]) -> tuple[Axis, bool]:
    """A logarithmic axis over the shares above 0, and whether there are others, which stand apart at its left."""
    known = [value for value in shares if value > 0]
    low, high = min(known, default=0.01), max(known, default=1.0)
    zero = len(known) < len(shares)
    low, high = (low / 1.6, high * 1.6) if low < high else (low / 10, high * 10)
    return logarithmic(low, high, lambda value: f"{100 * value:g}%", 2.5 * ZERO if zero else 0.0), zero


def place_of(learner: Standing, x: Axis) -> float:
    return x.at(learner.trained_share) if learner.trained_share else ZERO


def zero_column() -> Markup:
    text = tag("text", "0", x=f"{100 * ZERO:.1f}%", y=HEIGHT, dy=18, class_="tick")
    border = f"{175 * ZERO:.2f}%"
    return tag("g", text, tag("line", x1=border, x2=border, y1=0, y2=HEIGHT, class_="break"))


def reference(results: Mapping[str, Any], learners: Sequence[Standing], y: Axis) -> Markup:
    """A line at the score of a copy of the model for each task, where one was run."""
    records = results["learners"]
    for learner in learners:
        known = {learner.name, records[learner.name].get("canonical")}
        if known & {REFERENCE, "full:isolated"} and learner.average is not None:
            height = up(y, 100 * learner.average, HEIGHT)
            return tag("line", x1=0, x2="100%", y1=height, y2=height, class_="reference")
    return tag("g")


def apart(centres: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """For each dot the way to its badge, in pixels: the nearest place where it covers no dot and no other badge."""
    steps = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6)
    ways = [(side * 18.0 * reach, 17.0 * step) for reach in (1, 2, 3) for step in steps for side in (1, -1)]
    ways.sort(key=lambda way: way[0] ** 2 + way[1] ** 2)
    taken: list[tuple[float, float]] = []
    chosen = []
    for a, b in centres:
        free = [
            (dx, dy)
            for dx, dy in ways
            if RADIUS <= a + dx <= NARROW - RADIUS and RADIUS <= b + dy <= HEIGHT - RADIUS
            and all((a + dx - p) ** 2 + (b + dy - q) ** 2 >= (2 * RADIUS) ** 2 for p, q in taken)
            and all((a + dx - p) ** 2 + (b + dy - q) ** 2 >= (RADIUS + 5) ** 2 for p, q in centres)
        ]  # fmt: skip
        dx, dy = free[0] if free else (ways[0] if a < NARROW / 2 else (-ways[0][0], ways[0][1]))
        taken.append((a + dx, b + dy))
        chosen.append((dx, dy))
    return chosen


def caption(half: float) -> Markup:
    words = "After Houlsby et al. (2019), Figures 1 and 3: up and to the left is better."
    if half:
        words += f" Whiskers: what the number of test examples leaves open, at most (±{half:.1f} points, 95 %)."
    return tag("figcaption", words, " The dashed line is a fully trained copy of the model for each task, where run.")
