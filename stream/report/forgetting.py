"""Task by task, what the learners that share trained weights have kept and lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.figures import points
from stream.report.grid import Column, table, table_width
from stream.report.names import numbered, short_names
from stream.report.standing import Standing, standings

BARS = "▁▂▃▄▅▆▇█"
DIGITS = "0123456789"


def forgetting(results: Mapping[str, Any], page: Page) -> RenderableType:
    """One table per learner that forgets or may: score when learned, score now, change, course over arrivals."""
    learners = [learner for learner in standings(results) if may_forget(learner)]
    if not learners:
        return Text("No learner here shares trained weights between tasks, and none lost a point.", style="dim")
    parts: list[RenderableType] = []
    for learner in learners:
        parts += [*forgetting_table(learner, list(results["order"]), page), Text()]
    return Group(*parts[:-1])


def may_forget(learner: Standing) -> bool:
    return learner.sharing == "sequential" or bool(learner.forgetting)


def forgetting_table(learner: Standing, order: Sequence[str], page: Page) -> list[RenderableType]:
    """The tasks that arrived, in order of arrival."""
    arrived = len(learner.rows)
    courses = [[row[task] for row in learner.rows[task:]] for task in range(arrived)]
    learned, now = [course[0] for course in courses], [course[-1] for course in courses]
    changes = [
        None if first is None or final is None else final - first for first, final in zip(learned, now, strict=True)
    ]
    columns = [
        Column("learned", [points(score, page) for score in learned]),
        Column("now", [points(score, page) for score in now]),
        Column("change", [change_text(change, page) for change in changes]),
    ]
    names = numbered([page.text(name) for name in order[:arrived]])
    course_width = min(max(arrived, 6), 40)
    short = short_names(names, min(32, page.width - table_width(columns) - course_width - 2))
    low, high = bounds(courses)
    course = Column("course", [sparkline(line, arrived, course_width, low, high, page) for line in courses], "left")
    levels = f"0 to {len(DIGITS) - 1}" if page.ascii else f"{len(BARS)} heights"
    caption = (
        f"learned: score on the day the task arrived; now: after arrival {arrived}; points (x100). course: score after "
        f"each arrival, {levels} from {points(low, page)} to {points(high, page)}, flat where kept."
    )
    heading = Text(page.text(learner.name), style="bold")
    return [heading, table([Column("task", short, "left"), *columns, course], page.width), Text(caption, style="dim")]


def change_text(change: float | None, page: Page) -> Text:
    style = "" if change is None or abs(change) < 0.0005 else "red" if change < 0 else "green"
    return Text(points(change, page, sign=True, exact_zero=True), style=style)


def bounds(courses: Sequence[Sequence[float | None]]) -> tuple[float, float]:
    """Lowest and highest score of all courses: one scale, so that tasks can be compared."""
    known = [score for course in courses for score in course if score is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def sparkline(course: Sequence[float | None], arrivals: int, width: int, low: float, high: float, page: Page) -> str:
    """One character per arrival, blank before the task came; every n-th where `arrivals` exceeds `width`."""
    marks = DIGITS if page.ascii else BARS
    line: list[float | None] = [*(None for _ in range(arrivals - len(course))), *course]
    shown = line if arrivals <= width else [line[column * (arrivals - 1) // (width - 1)] for column in range(width)]
    first = arrivals - len(course) if arrivals <= width else 0
    return "".join(
        (" " if index < first or arrivals > width else page.dot) if score is None else level(score, low, high, marks)
        for index, score in enumerate(shown)
    )


def level(score: float, low: float, high: float, marks: str) -> str:
    if high <= low:
        return marks[len(marks) // 2]
    return marks[min(len(marks) - 1, int((score - low) / (high - low) * len(marks)))]
