"""Forgetting by task, for learners that change shared weights: score when learned, score now, and history."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import LearnerSummary, summaries
from stream.report.names import numbered, short_names
from stream.report.numbers import points
from stream.report.terminal.grid import Column, table, table_width
from stream.results.results import Results

BARS = "▁▂▃▄▅▆▇█"
DIGITS = "0123456789"
MANY, SHOWN = 60, 30  # with more than 60 tasks, only the 30 that changed most are shown


def forgetting(results: Results, page: Page) -> RenderableType:
    """Returns one table per learner that can forget: score when learned, score now, change, history."""
    learners = [learner for learner in summaries(results) if may_forget(learner)]
    if not learners:
        return Text("No learner here changes weights that earlier tasks use, and no score fell.", style="dim")
    parts: list[RenderableType] = []
    for learner in learners:
        parts += [*forgetting_table(learner, results.order, page), Text()]
    return Group(*parts[:-1])


def may_forget(learner: LearnerSummary) -> bool:
    """Whether a learner can forget: later tasks change its weights, or its forgetting is not 0."""
    return learner.sharing == "sequential" or bool(learner.forgetting)


def forgetting_table(learner: LearnerSummary, order: Sequence[str], page: Page) -> list[RenderableType]:
    """Returns heading, table and caption of one learner, with the arrived tasks in order of arrival."""
    arrived = len(learner.rows)
    histories = [[row[task] for row in learner.rows[task:]] for task in range(arrived)]
    learned, now = [history[0] for history in histories], [history[-1] for history in histories]
    changes = [
        None if first is None or final is None else final - first for first, final in zip(learned, now, strict=True)
    ]
    low, high = bounds(histories)
    shown = most_changed(changes)
    columns = [
        Column("learned", [points(learned[task], page) for task in shown]),
        Column("now", [points(now[task], page) for task in shown]),
        Column("change", [change_text(changes[task], page) for task in shown]),
    ]
    names = [name for task, name in enumerate(numbered([page.text(name) for name in order[:arrived]])) if task in shown]
    history_width = min(max(arrived, 6), 40)
    short = short_names(names, min(32, page.width - table_width(columns) - history_width - 2))
    lines = [sparkline(histories[task], arrived, history_width, low, high, page) for task in shown]
    history = Column("history", lines, "left")
    levels = f"0 to {len(DIGITS) - 1}" if page.ascii else f"{len(BARS)} heights"
    caption = (
        f"learned: score right after the task was trained; now: score after arrival {arrived}; points (x100). history: "
        f"score after each arrival, {levels} from {points(low, page)} to {points(high, page)}."
    )
    if len(shown) < arrived:
        caption = f"The {len(shown)} of {arrived} tasks that changed most. {caption}"
    heading = Text(page.text(learner.name), style="bold")
    return [heading, table([Column("task", short, "left"), *columns, history], page.width), Text(caption, style="dim")]


def most_changed(changes: Sequence[float | None]) -> list[int]:
    """Returns the tasks to show, in order of arrival: all, or the `SHOWN` that changed most if there are many."""
    if len(changes) <= MANY:
        return list(range(len(changes)))
    return sorted(sorted(range(len(changes)), key=lambda task: -abs(changes[task] or 0.0))[:SHOWN])


def change_text(change: float | None, page: Page) -> Text:
    style = "" if change is None or abs(change) < 0.0005 else "red" if change < 0 else "green"
    return Text(points(change, page, sign=True, exact_zero=True), style=style)


def bounds(histories: Sequence[Sequence[float | None]]) -> tuple[float, float]:
    """Returns the lowest and the highest score of all histories. One scale makes tasks comparable."""
    known = [score for history in histories for score in history if score is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def sparkline(history: Sequence[float | None], arrivals: int, width: int, low: float, high: float, page: Page) -> str:
    """Returns one character per arrival, blank before the task arrived. A long history is sampled to `width`."""
    marks = DIGITS if page.ascii else BARS
    line: list[float | None] = [*(None for _ in range(arrivals - len(history))), *history]
    shown = line if arrivals <= width else [line[column * (arrivals - 1) // (width - 1)] for column in range(width)]
    first = arrivals - len(history) if arrivals <= width else 0
    return "".join(
        (" " if index < first or arrivals > width else page.dot) if score is None else level(score, low, high, marks)
        for index, score in enumerate(shown)
    )


def level(score: float, low: float, high: float, marks: str) -> str:
    if high <= low:
        return marks[len(marks) // 2]
    return marks[min(len(marks) - 1, int((score - low) / (high - low) * len(marks)))]
