"""Forgetting by task, for each learner that can forget: score when learned, score now, and the scores between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.marks import PAGE, Badge, badge
from stream.report.html.table import Change, Column, Content, History, Loss, Table, TaskName
from stream.report.learner_summary import LearnerSummary
from stream.report.numbers import points
from stream.report.terminal.forgetting import bounds, may_forget, most_changed

LINE = 20.0  # pixels: height of the picture in a row
PADDING = 2.0  # pixels above and below a curve, so that its line is not cut
NOTICEABLE = 0.0005  # a smaller loss is shown as 0.0 points, so it has no mark


@dataclass(frozen=True)
class LearnerForgetting:
    """The forgetting of one learner: one row per task."""

    learner: Badge
    table: Table
    caption: str


def without_loss(learners: Sequence[LearnerSummary]) -> str:
    """Returns a sentence that names the learners without a table; empty if all have one."""
    names = [learner.name for learner in learners if not may_forget(learner)]
    return f"No score of these learners fell: {', '.join(names)}." if names else ""


def forgetting(learners: Sequence[LearnerSummary], order: Sequence[str]) -> list[LearnerForgetting]:
    """Returns a table for each learner that can forget."""
    return [by_task(badge(i, x.name), x, order) for i, x in enumerate(learners) if may_forget(x)]


def by_task(learner: Badge, summary: LearnerSummary, order: Sequence[str]) -> LearnerForgetting:
    """Returns all arrived tasks; if there are very many, only those that changed most."""
    arrived = len(summary.rows)
    histories = [[row[task] for row in summary.rows[task:]] for task in range(arrived)]
    learned, now = [scores[0] for scores in histories], [scores[-1] for scores in histories]
    changes = [
        None if first is None or final is None else final - first for first, final in zip(learned, now, strict=True)
    ]
    shown = most_changed(changes)
    low, high = bounds(histories)
    columns = [
        Column("task", [TaskName(order[task]) for task in shown], [order[task] for task in shown], "left"),
        Column("#", [str(task + 1) for task in shown], [float(task) for task in shown], about="arrival", minor=True),
        Column("learned", [points(learned[task], PAGE) for task in shown], [learned[task] for task in shown]),
        Column("now", [points(now[task], PAGE) for task in shown], [now[task] for task in shown]),
        Column("change", [change(changes[task]) for task in shown], [changes[task] for task in shown]),
        Column(
            "○ learned to ● now",
            [positions(learner.tone, learned[task], now[task], low, high) for task in shown],
            align="left",
            style="change",
        ),
        Column(
            "after each arrival",
            [history(learner.tone, histories[task], arrived, low, high) for task in shown],
            align="left",
            style="history",
        ),
    ]
    words = (
        f"Learned: score right after the task was trained. Now: score after arrival {arrived}. Scores are in points. "
        f"The pictures span {points(low, PAGE)} to {points(high, PAGE)} points."
    )
    if len(shown) < arrived:
        words = f"The table shows the {len(shown)} of {arrived} tasks that changed most. {words}"
    return LearnerForgetting(learner, Table(columns, f"Forgetting of {learner.name}", "tasks"), words)


def change(value: float | None) -> Content:
    written = points(value, PAGE, sign=True, exact_zero=True)
    return Loss(written) if value is not None and value < -NOTICEABLE else written


def positions(tone: str, learned: float | None, now: float | None, low: float, high: float) -> Content:
    """Returns both scores as a picture; empty if one is missing."""
    if learned is None or now is None:
        return ""
    return Change(tone, *(round(100 * fraction(score, low, high), 1) for score in (learned, now)))


def history(tone: str, scores: Sequence[float | None], arrivals: int, low: float, high: float) -> History:
    """Returns the score after each arrival as a curve, blank before the task arrived."""
    first, last = arrivals - len(scores), max(arrivals - 1, 1)
    places = [
        (100 * (first + step) / last, PADDING + (LINE - 2 * PADDING) * (1 - fraction(score, low, high)))
        for step, score in enumerate(scores)
        if score is not None
    ]
    if len(places) == 1:
        places.append((places[0][0] + 1, places[0][1]))  # a line of a single point would be invisible
    return History(tone, tuple(places))


def fraction(score: float, low: float, high: float) -> float:
    return (score - low) / (high - low) if high > low else 0.5
