"""A table that fits the page. It drops the least important columns first, and never wraps a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: Heading; a line break makes it two lines high.
        cells: One per row; `Text` has a style.
        align: `right` (default) for numbers.
        rank: A column of rank 0 (default) is never dropped. The column of the highest rank is dropped first.
    """

    title: str
    cells: Sequence[str | Text]
    align: Literal["left", "right"] = "right"
    rank: int = 0

    @property
    def width(self) -> int:
        """Width of the widest entry or heading, in terminal cells."""
        return max(cell_len(str(entry)) for entry in [*self.title.split("\n"), *self.cells, ""])


def table_width(columns: Iterable[Column], gap: int = 1) -> int:
    widths = [column.width for column in columns]
    return sum(widths) + gap * max(len(widths) - 1, 0)


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Returns the columns that fit `width` cells with a gap of one cell. It drops columns by rank, from the right."""
    kept = list(columns)
    while table_width(kept) > width:
        least = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        if kept[least].rank == 0:
            break
        del kept[least]
    return kept


def table(columns: Sequence[Column], width: int) -> Table:
    """Returns a table without borders, of the columns that fit `width` cells. If there is room, gaps are two cells."""
    kept = fitting(columns, width)
    gap = 2 if table_width(kept, 2) <= width else 1
    grid = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold", show_edge=False)
    for column in kept:
        title = Text(column.title, justify=column.align)
        grid.add_column(title, justify=column.align, no_wrap=True, overflow="crop", vertical="bottom")
    for row in range(len(kept[0].cells) if kept else 0):
        grid.add_row(*(as_text(column.cells[row]) for column in kept))
    return grid


def as_text(entry: str | Text) -> Text:
    """Makes `Text` of an entry. In a plain string, rich would read square brackets as markup."""
    return entry if isinstance(entry, Text) else Text(entry)
