"""The whole report, section by section."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from stream.report.console import Page, page_of
from stream.report.terminal.cost import cost_table
from stream.report.terminal.forgetting import forgetting
from stream.report.terminal.growth import growth_chart
from stream.report.terminal.header import header
from stream.report.terminal.heatmap import heatmap
from stream.report.terminal.league import league
from stream.report.terminal.selection import selection_table
from stream.report.terminal.spread import MANY, score_spread
from stream.report.terminal.tasks import task_table
from stream.results.results import Results
from tasks.errors import unknown_name

Section = Callable[[Results, Page], RenderableType]

SECTIONS: dict[str, tuple[str, Section]] = {
    "header": ("", header),
    "league": ("League table", league),
    "heatmap": ("Accuracy matrix R", heatmap),
    "forgetting": ("Forgetting by task", forgetting),
    "growth": ("Growth", growth_chart),
    "cost": ("Cost", cost_table),
    "selection": ("Selection by validation", selection_table),
    "tasks": ("Scores by task", task_table),
}


def print_report(results: Results, console: Console, sections: Sequence[str] = tuple(SECTIONS)) -> None:
    """Prints the results of a stream, finished or interrupted.

    Args:
        results: The results. Scores are fractions; the report shows points (x100).
        console: Its width, colours and encoding decide the form. No line is wider than the console.
        sections: The sections to print, in this order. Default: header, league, heatmap, forgetting, growth, cost,
            selection (if a learner has alternatives), tasks.

    Raises:
        InputError: A section is not known.
    """
    unknown = [name for name in sections if name not in SECTIONS]
    if unknown:
        raise unknown_name("section", unknown[0], SECTIONS)
    page = page_of(console)
    for name in sections:
        if name == "selection" and len(sections) > 1 and not any(x.selection for x in results.learners.values()):
            continue  # asked for alone, it says so
        title, render = SECTIONS[name]
        if name == "tasks" and len(results.order) > MANY:
            title, render = "Distribution of scores over tasks", score_spread
        if title:
            console.print()
            console.print(rule(title, page))
        console.print(render(results, page))


def rule(title: str, page: Page) -> Text:
    line = ("-" if page.ascii else "─") * max(page.width - len(title) - 1, 0)
    return Text(title, style="bold cyan") + Text(f" {line}", style="dim cyan")
