"""The distribution of scores over tasks. It replaces the task table if there are too many tasks to read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import summaries
from stream.report.names import cut, legend, shown_names
from stream.report.numbers import mean, points
from stream.report.terminal.grid import Column, table, table_width
from stream.results.results import Results

MANY = 100  # tasks; with more, the report shows quantiles instead of one line per task
QUANTILES = {"lowest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "highest": 1.0}
NAMED = 3  # tasks with the lowest scores that are named
TASK_WIDTH = 24


def score_spread(results: Results, page: Page) -> RenderableType:
    """Returns one line per learner: quantiles and mean of its scores after the last arrival, and its lowest tasks."""
    learners = summaries(results)
    order = [page.text(task) for task in results.order]
    now = [learner.now[: len(learner.rows)] for learner in learners]
    known = [sorted(score for score in scores if score is not None) for scores in now]
    columns = [Column("tasks", [str(len(scores)) for scores in known])]
    columns += [
        Column(title, [points(quantile(scores, share), page) for scores in known], rank=1 if "%" in title else 0)
        for title, share in QUANTILES.items()
    ]
    columns.append(Column("mean", [points(mean(list(scores)), page) for scores in now]))
    names = [page.text(learner.name) for learner in learners]
    short = shown_names(names, page.width - 1 - table_width(columns), names)
    lines = []
    for name, scores in zip(short, now, strict=True):
        ranked = sorted((score, index) for index, score in enumerate(scores) if score is not None)[:NAMED]
        lowest = ", ".join(f"{cut(order[index], TASK_WIDTH)} {points(score, page)}" for score, index in ranked)
        lines.append(Text(f"lowest of {name}: {lowest or page.missing}", style="dim"))
    caption = "Scores after the last arrival, in each task's own metric, points (x100). R.csv has every score."
    shown = table([Column("learner", short, "left"), *columns], page.width)
    return Group(shown, *legend(names, short, page), *lines, Text(caption, style="dim"))


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Returns the quantile `share` of sorted scores (nearest rank); None if there is no score."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
