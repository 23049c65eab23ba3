"""The table of choices of each learner with alternatives: the columns of the terminal report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.choices import alternatives, captions, choice_lines
from stream.report.html.marks import PAGE, Badge, badge
from stream.report.html.table import Column, Table, TaskName
from stream.report.names import numbered
from stream.report.numbers import points
from stream.results.learner_results import LearnerResults
from stream.results.results import Results


@dataclass(frozen=True)
class Choices:
    """What one learner chose on each task."""

    learner: Badge
    table: Table


@dataclass(frozen=True)
class Selection:
    """The choices of all learners with alternatives, and what the columns mean."""

    parts: Sequence[Choices]
    caption: str


def selection(results: Results) -> Selection | None:
    """Returns the section on selection; None if no learner has alternatives."""
    shown = [(place, learner) for place, learner in enumerate(results.learners.values()) if learner.selection]
    if not shown:
        return None
    words = captions([learner for _, learner in shown], results.settings)
    parts = [Choices(badge(place, learner.name), choices(learner)) for place, learner in shown]
    return Selection(parts, " ".join(f"{line[:1].upper()}{line[1:]}" for line in words))


def choices(learner: LearnerResults) -> Table:
    """Returns one row per task of a learner."""
    lines, names = choice_lines(learner, PAGE), alternatives(learner)
    tasks = [line.task for line in lines]
    columns = [
        Column("task", [TaskName(name) for name in numbered(tasks)], [float(place) for place in range(len(tasks))],
               align="left"),
        Column("chosen", [names.get(line.chosen, PAGE.missing) for line in lines], align="left"),
        Column("val", [points(line.val, PAGE) for line in lines], [line.val for line in lines]),
    ]  # fmt: skip
    if any(line.mark for line in lines):
        columns.append(Column("seed", [line.mark for line in lines], align="left"))
    columns += [
        Column("runner-up", [names.get(line.runner_up, PAGE.missing) for line in lines], align="left"),
        Column("margin", [line.behind for line in lines]),
        Column("to end", [line.to_the_end for line in lines]),
    ]
    return Table(columns, f"Choices of {learner.name}")
