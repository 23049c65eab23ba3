"""Forgetting by task: for each learner that forgets or may, where each task began and where it has come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.report.console import Page
from stream.report.html.badge import named, tone
from stream.report.html.markup import Markup, breakable, join, tag
from stream.report.html.table import Column, table
from stream.report.learner_summary import Standing, standings
from stream.report.numbers import points
from stream.report.terminal.forgetting import bounds, may_forget, most_changed

LINE = 20.0  # pixels: height of the picture in a row
PADDING = 2.0  # pixels above and below a course, so that its line is not cut


def forgetting(results: Mapping[str, Any], page: Page) -> Markup:
    """Who kept all, in one sentence, and a table for each other learner."""
    learners = list(enumerate(standings(results)))
    losing = [(index, learner) for index, learner in learners if may_forget(learner)]
    kept = [learner.name for _, learner in learners if not may_forget(learner)]
    words = f"No score of these ever fell: {', '.join(kept)}." if kept else ""
    parts = [by_task(index, learner, results, page) for index, learner in losing]
    return tag("section", tag("h2", "Forgetting by task"), tag("p", words) if words else None, parts, id="forgetting")


def by_task(index: int, learner: Standing, results: Mapping[str, Any], page: Page) -> Markup:
    arrived = len(learner.rows)
    courses = [[row[task] for row in learner.rows[task:]] for task in range(arrived)]
    learned, now = [course[0] for course in courses], [course[-1] for course in courses]
    changes = [
        None if first is None or final is None else final - first for first, final in zip(learned, now, strict=True)
    ]
    shown = most_changed(changes)
    low, high = bounds(courses)
    names = results["order"]
    columns = [
        Column("task", [breakable(names[task]) for task in shown], [names[task] for task in shown], "left"),
        Column("#", [str(task + 1) for task in shown], [float(task) for task in shown], about="arrival", minor=True),
        Column("learned", [points(learned[task], page) for task in shown], [learned[task] for task in shown]),
        Column("now", [points(now[task], page) for task in shown], [now[task] for task in shown]),
        Column(
            "change",
            [points(changes[task], page, sign=True, exact_zero=True) for task in shown],
            [changes[task] for task in shown],
            classes=["loss" if (changes[task] or 0) < -0.0005 else "" for task in shown],
        ),
        Column(
            join("learned ○ ", tag("span", "to now ●")),
            [way(learned[task], now[task], low, high, index) for task in shown],
            None, "left", ["way"] * len(shown),
        ),
        Column(
            "course",
            [course_line(courses[task], arrived, low, high, index) for task in shown],
            None, "left", ["course"] * len(shown),
        ),
    ]  # fmt: skip
    words = (
        f"Learned: score on the day the task arrived; now: after arrival {arrived}; points. Pictures reach from "
        f"{points(low, page)} to {points(high, page)}; course: the score after each arrival."
    )
    if len(shown) < arrived:
        words = f"The {len(shown)} of {arrived} tasks that changed most. {words}"
    head = tag("h3", named(index, learner.name))
    label = f"Forgetting of {learner.name}"
    return join(head, table(columns, label=label, class_="tasks"), tag("p", words, class_="caption"))


def way(first: float | None, final: float | None, low: float, high: float, index: int) -> Markup | None:
    """From the score on the day of learning, a ring, to that of now, a dot."""
    if first is None or final is None:
        return None
    a, b = (f"{100 * fraction(score, low, high):.1f}%" for score in (first, final))
    y = LINE / 2
    return tag(
        "svg",
        tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"),
        tag("line", x1=a, x2=b, y1=y, y2=y, class_=f"moved {tone(index)}"),
        tag("circle", cx=b, cy=y, r=4.5, class_=f"dot {tone(index)}"),
        tag("circle", cx=a, cy=y, r=4, class_=f"ring {tone(index)}"),
        class_="spark", height=LINE, aria_hidden="true",
    )  # fmt: skip


def course_line(course: Sequence[float | None], arrivals: int, low: float, high: float, index: int) -> Markup:
    """The score after each arrival, blank before the task came."""
    first, last = arrivals - len(course), max(arrivals - 1, 1)
    points = [
        (100 * (first + step) / last, PADDING + (LINE - 2 * PADDING) * (1 - fraction(score, low, high)))
        for step, score in enumerate(course)
        if score is not None
    ]
    if len(points) == 1:
        points.append((points[0][0] + 1, points[0][1]))
    drawn = tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=f"curve {tone(index)}",
                vector_effect="non-scaling-stroke")  # fmt: skip
    return tag("svg", drawn, viewBox=f"0 0 101 {LINE:.0f}", preserveAspectRatio="none", class_="spark", height=LINE,
               aria_hidden="true")  # fmt: skip


def fraction(score: float, low: float, high: float) -> float:
    return (score - low) / (high - low) if high > low else 0.5
