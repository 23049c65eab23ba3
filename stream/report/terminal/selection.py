"""The table of choices: for each task of a learner with alternatives, the winner, the runner-up and the margin."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.names import abbreviated, numbered
from stream.report.numbers import points
from stream.report.terminal.grid import Column, table
from stream.results.learner_results import LearnerResults
from stream.results.results import Results

CAPTION = (
    "chosen: the alternative with the best validation score, points (x100); runner-up: the next one, and how far it is "
    "behind. tried: alternatives fitted to the end, of all that were tried. Test rows are read after the choice.",
)
NAME = 24  # cells of the name of an alternative


def selection_table(results: Results, page: Page) -> RenderableType:
    """Returns one table for each learner with alternatives, with a line per task."""
    parts: list[RenderableType] = []
    for learner in results.learners.values():
        if learner.selection:
            parts += [Text(page.text(learner.name), style="bold"), _choices(learner, page), Text()]
    return Group(*parts, Text(page.text(CAPTION[0]), style="dim"))


def _choices(learner: LearnerResults, page: Page) -> RenderableType:
    choices = learner.selection
    names = varying([name for each in choices.values() for name in each.candidates])

    def shown(each: Iterable[str]) -> list[str]:
        return [abbreviated(page.text(names.get(name, name) or page.missing), NAME) for name in each]

    kept = choices.values()
    columns = [
        Column("task", numbered([page.text(task) for task in choices]), "left"),
        Column("chosen", shown(each.chosen for each in kept), "left"),
        Column("val", [points(each.candidates.get(each.chosen), page) for each in kept]),
        Column("runner-up", shown(each.runner_up for each in kept), "left", rank=1),
        Column("margin", [points(each.margin, page) for each in kept]),
        Column("tried", [f"{len(x.candidates) - len(x.epochs)}/{len(x.candidates)}" for x in kept], rank=2),
    ]
    return table(columns, page.width)


def varying(specifications: Iterable[str]) -> dict[str, str]:
    """Returns specification -> its parts that are not the same in all: adapter:8:epochs=3 and adapter:64:epochs=3 give
    8 and 64."""
    split = {text: text.split(":") for text in specifications}
    if len({len(parts) for parts in split.values()}) != 1:
        return {text: text for text in split}
    columns = list(zip(*split.values(), strict=True))
    vary = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    return {text: ":".join(parts[place] for place in vary) or text for text, parts in split.items()}
