"""The table of choices: for each task of a learner with alternatives, the winner, the runner-up and the margin."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.choices import alternatives, bare, captions, choice_lines
from stream.report.console import Page
from stream.report.names import legend, numbered, shown_names
from stream.report.numbers import points
from stream.report.terminal.grid import Column, table, table_width
from stream.results.learner_results import LearnerResults
from stream.results.results import Results


def selection_table(results: Results, page: Page) -> RenderableType:
    """Returns one table for each learner with alternatives, with a line per task."""
    learners = [learner for learner in results.learners.values() if learner.selection]
    if not learners:
        return Text("No learner has alternatives to choose from.")
    parts: list[RenderableType] = []
    for learner in learners:
        parts += [Text(page.text(learner.name), style="bold"), *_choices(learner, page), Text()]
    words = captions(learners, results.settings)
    return Group(*parts, *(Text(page.text(line), style="dim") for line in words))


def _choices(learner: LearnerResults, page: Page) -> list[RenderableType]:
    """Returns the table of one learner. If the page is narrow, names are values alone, and a legend explains them."""
    lines, names = choice_lines(learner, page), alternatives(learner)
    used = [*dict.fromkeys(name for line in lines for name in (line.chosen, line.runner_up) if name)]

    def columns(short: dict[str, str]) -> list[Column]:
        found = [
            Column("task", numbered([page.text(line.task) for line in lines]), "left"),
            Column("chosen", [short.get(line.chosen, page.missing) for line in lines], "left"),
            Column("val", [points(line.val, page) for line in lines]),
            Column("", [line.mark for line in lines], "left"),
            Column("runner-up", [short.get(line.runner_up, page.missing) for line in lines], "left", rank=1),
            Column("margin", [line.behind for line in lines], "left" if any(learner.selection[x.task].epochs
                   for x in lines) else "right", rank=1),
            Column("to end", [line.to_the_end for line in lines], rank=2),
        ]  # fmt: skip
        return [column for column in found if column.title or any(column.cells)]

    long = {name: page.text(names[name]) for name in used}
    if table_width(columns(long)) <= page.width:
        return [table(columns(long), page.width)]
    values = {name: page.text(bare(names[name])) for name in used}
    if len(set(values.values())) < len(values):
        values = dict(long)
    width = max((page.width - table_width(columns(dict.fromkeys(used, "")))) // 2 - 1, 8)
    short = dict(zip(used, shown_names(values.values(), width, [*values.values()]), strict=True))
    return [table(columns(short), page.width), *legend(long.values(), [short[name] for name in long], page)]
