"""Tables that compare two runs: for each learner the number in A, in B, and the difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType

from stream.report.console import Page
from stream.report.names import legend, shown_names
from stream.report.numbers import duration, growth, points, scaled
from stream.report.terminal.grid import Column, table, table_width
from stream.report.terminal.league import NAME_WIDTH
from stream.results.difference import Figure

Write = Callable[[float | None, Page], str]


def comparison_columns(heading: str, entries: Sequence[Figure], name: str, page: Page) -> list[Column]:
    """Returns three columns for one quantity: A, B and B - A.

    Args:
        entries: One per learner.
        name: Name of the quantity in results.json, or of a metric. Metrics are shown in points.
    """
    figure, change = FIGURES.get(name, (exact_points, signed_points))
    return [
        Column(f"{heading}\nA", [figure(entry.a, page) for entry in entries]),
        Column("\nB", [figure(entry.b, page) for entry in entries]),
        Column("\nB - A", [change(entry.difference, page) for entry in entries]),
    ]


def comparison_table(names: Sequence[str], groups: Sequence[Sequence[Column]], page: Page) -> RenderableType:
    """Returns a table of learners and groups of columns. A group that does not fit the page is left out."""
    full = [page.text(name) for name in names]
    room = page.width - 1 - min(max(map(len, full)), NAME_WIDTH)
    columns: list[Column] = []
    for group in groups:
        if table_width([*columns, *group]) <= room:
            columns += group
    short = shown_names(full, page.width - 1 - table_width(columns), full)
    return Group(table([Column("learner", short, "left"), *columns], page.width), *legend(full, short, page))


def exact_points(value: float | None, page: Page) -> str:
    return points(value, page, exact_zero=True)


def signed_points(value: float | None, page: Page) -> str:
    return points(value, page, sign=True, exact_zero=True)


def signed(figure: Write) -> Write:
    """Returns a function that formats a difference: like `figure`, with a sign."""

    def write(value: float | None, page: Page) -> str:
        if not value:
            return page.missing if value is None else "0"
        return ("+" if value > 0 else "-") + figure(abs(value), page)

    return write


def in_bytes(value: float | None, page: Page) -> str:
    return scaled(value, page, "B")


FIGURES: dict[str, tuple[Write, Write]] = {
    "growth": (growth, signed(growth)),
    "train_seconds": (duration, signed(duration)),
    "evaluate_seconds": (duration, signed(duration)),
    "bytes_per_task": (in_bytes, signed(in_bytes)),
    "trained_parameters_per_task": (scaled, signed(scaled)),
}
