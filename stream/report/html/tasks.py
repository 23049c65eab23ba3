"""Scores by task: every learner beside the ceiling where there is one, or their spread where tasks are very many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.report.console import Page
from stream.report.html.badge import badge, bar, named
from stream.report.html.markup import Markup, breakable, join, tag
from stream.report.html.table import Column, table
from stream.report.learner_summary import Standing, standings
from stream.report.numbers import mean, number, points
from stream.report.terminal.spread import MANY, QUANTILES, quantile
from stream.report.terminal.tasks import METRICS, caption

LOWEST = 3  # tasks named for each learner where not all are shown


def scores(results: Mapping[str, Any], page: Page) -> Markup:
    many = len(results["order"]) > MANY
    title, shown = ("Scores over the tasks", spread) if many else ("Scores by task", by_task)
    return tag("section", tag("h2", title), shown(results, page), id="tasks")


def by_task(results: Mapping[str, Any], page: Page) -> Markup:
    """A line for each task, in order of arrival, and the mean of the arrived ones; the best of a line has a star."""
    order, learners = list(results["order"]), standings(results)
    facts = [(results.get("tasks") or {}).get(task) or {} for task in order]
    arrived = max((len(learner.rows) for learner in learners), default=0)
    now = [[s if i < len(x.rows) else None for i, s in enumerate(x.now)] for x in learners]
    best = [max((s for row in now if (s := row[i]) is not None), default=None) for i in range(len(order))]
    ceilings = [number(fact.get("ceiling")) for fact in facts]
    names: list[Markup] = [
        tag("span", breakable(task), title="; ".join(map(str, fact.get("notes") or ())) or None)
        for task, fact in zip(order, facts, strict=True)
    ]
    metrics = [METRICS.get(str(fact.get("metric")), str(fact.get("metric") or page.missing)) for fact in facts]
    kinds = [str(fact.get("kind") or page.missing) for fact in facts]
    tests = [number(fact.get("test")) for fact in facts]
    columns = [
        Column("task", [*names, "mean"], order, "left"),
        Column("#", [*(str(n + 1) for n in range(len(order))), ""], [float(n) for n in range(len(order))], minor=True),
        Column("kind", [*kinds, ""], kinds, "left", minor=True),
        Column("metric", [*metrics, ""], metrics, "left"),
        Column("test n", [*(page.missing if n is None else f"{n:.0f}" for n in tests), ""], tests, minor=True),
    ]
    if any(ceiling is not None for ceiling in ceilings):
        shown = [points(ceiling, page) for ceiling in [*ceilings, mean(ceilings[:arrived])]]
        about = "the best expected score that the noise of a simulated task's labels leaves"
        columns.append(Column("ceiling", shown, ceilings, classes=["ceiling"] * len(shown), about=about))
    columns += [
        score_column(index, learner, row, best, ceilings, page)
        for index, (learner, row) in enumerate(zip(learners, now, strict=True))
    ]
    words = f"{caption(results, page)} {page.best} the best of a task."
    if any(ceiling is not None for ceiling in ceilings):
        words += " A bar is as long as the score; the mark on it is the ceiling."
    shown_table = table(columns, label="Scores by task", footer=True, class_="tasks")
    return join(shown_table, tag("p", words, class_="caption"))


def score_column(
    index: int, learner: Standing, row: Sequence[float | None], best: Sequence[float | None],
    ceilings: Sequence[float | None], page: Page,
) -> Column:  # fmt: skip
    cells = [
        page.missing
        if score is None
        else bar(index, points(score, page), score, star=page.best if score == top else "", limit=ceiling)
        for score, top, ceiling in zip(row, best, ceilings, strict=True)
    ]
    title = join(badge(index), " ", tag("span", breakable(learner.name), class_="above"))
    return Column(title, [*cells, points(mean(list(row)), page)], list(row), about=learner.name)


def spread(results: Mapping[str, Any], page: Page) -> Markup:
    """Quantiles of the scores after the last arrival, and the lowest tasks by name."""
    learners = standings(results)
    order = results["order"]
    now = [learner.now[: len(learner.rows)] for learner in learners]
    known = [sorted(score for score in row if score is not None) for row in now]
    columns = [
        Column(
            "learner", [named(index, x.name) for index, x in enumerate(learners)], [x.name for x in learners], "left"
        ),
        Column("tasks", [str(len(row)) for row in known], [float(len(row)) for row in known]),
    ]
    for title, share in QUANTILES.items():
        values = [quantile(row, share) for row in known]
        columns.append(Column(title, [points(value, page) for value in values], values))
    means = [mean(list(row)) for row in now]
    columns.append(Column("mean", [points(value, page) for value in means], means))
    lowest = []
    for row in now:
        ranked = sorted((score, place) for place, score in enumerate(row) if score is not None)[:LOWEST]
        lowest.append(", ".join(f"{order[place]} {points(score, page)}" for score, place in ranked) or page.missing)
    columns.append(Column("lowest", lowest, None, "left", ["words"] * len(learners)))
    words = "Scores after the last arrival, each task's own metric, points (x100). Every score is in R.csv."
    return join(table(columns, label="Scores over the tasks"), tag("p", words, class_="caption"))
