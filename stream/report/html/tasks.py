"""Scores by task: one column per learner, and the ceiling if there is one. Very many tasks are shown as quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.league import bar
from stream.report.html.marks import PAGE, badge
from stream.report.html.table import Column, Content, Table, TaskName
from stream.report.learner_summary import LearnerSummary, Row
from stream.report.numbers import mean, points
from stream.report.terminal.spread import MANY, QUANTILES, quantile
from stream.report.terminal.tasks import METRICS, caption, infos
from stream.results.results import Results

LOWEST = 3  # tasks with the lowest scores, named for each learner if not all tasks are shown
CEILING = "best expected score under the label noise of a simulated task"


@dataclass(frozen=True)
class Scores:
    """A table of scores with its heading and caption."""

    title: str
    table: Table
    caption: str


def scores(results: Results, learners: Sequence[LearnerSummary]) -> Scores:
    """Returns the scores after the last arrival."""
    return spread(results, learners) if len(results.order) > MANY else by_task(results, learners)


def by_task(results: Results, learners: Sequence[LearnerSummary]) -> Scores:
    """Returns one row per task, in order of arrival, and a row of means. The best score of a row has a star."""
    order, facts = results.order, infos(results)
    arrived = max((len(learner.rows) for learner in learners), default=0)
    now = [tuple(s if i < len(x.rows) else None for i, s in enumerate(x.now)) for x in learners]
    best = [max((s for row in now if (s := row[i]) is not None), default=None) for i in range(len(order))]
    ceilings = tuple(fact.ceiling for fact in facts)
    names = [TaskName(task, "; ".join(fact.notes)) for task, fact in zip(order, facts, strict=True)]
    places = range(len(order))
    metrics = [METRICS.get(fact.metric, fact.metric or PAGE.missing) for fact in facts]
    kinds = [fact.kind or PAGE.missing for fact in facts]
    trained = [fact.train for fact in facts]
    tests = [fact.test for fact in facts]
    columns = [
        Column("task", [*names, "mean"], order, "left"),
        Column("#", [*(str(n + 1) for n in places), ""], [float(n) for n in places], about="arrival", minor=True),
        Column("kind", [*kinds, ""], kinds, "left", minor=True),
        Column("metric", [*metrics, ""], metrics, "left"),
        Column("rows", [*(PAGE.missing if n is None else f"{n:.0f}" for n in trained), ""], trained),
        Column("test n", [*(PAGE.missing if n is None else f"{n:.0f}" for n in tests), ""], tests, minor=True),
    ]
    words = f"{caption(results, PAGE)} {PAGE.best} best score of a task."
    if any(ceiling is not None for ceiling in ceilings):
        shown = [points(ceiling, PAGE) for ceiling in [*ceilings, mean(list(ceilings[:arrived]))]]
        columns.append(Column("ceiling", shown, ceilings, style="ceiling", about=CEILING))
        words += " The length of a bar is the score; the mark on the bar is the ceiling."
    for index, (learner, row) in enumerate(zip(learners, now, strict=True)):
        title = badge(index, learner.name)
        cells: list[Content] = [
            PAGE.missing
            if score is None
            else bar(title.tone, points(score, PAGE) + (PAGE.best if score == top else ""), score, ceiling)
            for score, top, ceiling in zip(row, best, ceilings, strict=True)
        ]
        columns.append(Column(title, [*cells, points(mean(list(row)), PAGE)], row, about=learner.name))
    return Scores("Scores by task", Table(columns, "Scores by task", "tasks", footer=True), words)


def spread(results: Results, learners: Sequence[LearnerSummary]) -> Scores:
    """Returns quantiles of the scores after the last arrival, and the tasks with the lowest scores."""
    order = results.order
    now = [learner.now[: len(learner.rows)] for learner in learners]
    known = [sorted(score for score in row if score is not None) for row in now]
    names = [learner.name for learner in learners]
    columns = [
        Column("learner", [badge(index, name) for index, name in enumerate(names)], names, "left"),
        Column("tasks", [str(len(row)) for row in known], [float(len(row)) for row in known]),
    ]
    figures = {title: [quantile(row, share) for row in known] for title, share in QUANTILES.items()}
    figures["mean"] = [mean(list(row)) for row in now]
    columns += [Column(title, [points(x, PAGE) for x in values], values) for title, values in figures.items()]
    columns.append(Column("lowest", [lowest(row, order) for row in now], align="left", style="words"))
    words = "Scores after the last arrival, in each task's own metric, points (x100). R.csv has every score."
    title = "Distribution of scores over tasks"
    return Scores(title, Table(columns, title), words)


def lowest(row: Row, order: Sequence[str]) -> str:
    """Returns the tasks with the lowest scores, by name."""
    ranked = sorted((score, place) for place, score in enumerate(row) if score is not None)[:LOWEST]
    return ", ".join(f"{order[place]} {points(score, PAGE)}" for score, place in ranked) or PAGE.missing
