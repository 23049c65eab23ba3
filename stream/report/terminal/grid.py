"""A table that fits the page: the least important columns go first, nothing wraps."""

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
        cells: One per row; `Text` carries its style.
        align: `right` for figures.
        rank: 0 is never dropped; of the others the highest is dropped first.
    """

    title: str
    cells: Sequence[str | Text]
    align: Literal["left", "right"] = "right"
    rank: int = 0

    @property
    def width(self) -> int:
        """Terminal cells of the widest entry, heading included."""
        return max(cell_len(str(entry)) for entry in [*self.title.split("\n"), *self.cells, ""])


def table_width(columns: Iterable[Column], gap: int = 1) -> int:
    widths = [column.width for column in columns]
    return sum(widths) + gap * max(len(widths) - 1, 0)


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that fit `width` cells with a gap of one, dropped by rank from the right."""
    kept = list(columns)
    while table_width(kept) > width:
        least = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        if kept[least].rank == 0:
            break
        del kept[least]
    return kept


def table(columns: Sequence[Column], width: int) -> Table:
    """A borderless table of what fits in `width` cells; two blanks between columns where there is room."""
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
    """Names may hold square brackets, which rich would take for markup in a plain string."""
    return entry if isinstance(entry, Text) else Text(entry)
