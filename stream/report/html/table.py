"""A table of figures: numbers to the right, names staying in sight when it is wider than the page, sortable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stream.report.html.markup import Child, Markup, tag


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: Heading.
        cells: One per row.
        keys: What rows are sorted by; None comes last either way. Without keys the column does not sort.
        align: `right` for figures.
        classes: Of each cell.
        about: What the heading means, shown when it is pointed at.
        minor: Whether a narrow page leaves it out.
    """

    title: Child
    cells: Sequence[Child]
    keys: Sequence[float | str | None] | None = None
    align: Literal["left", "right"] = "right"
    classes: Sequence[str] = ()
    about: str | None = None
    minor: bool = False


def table(columns: Sequence[Column], *, label: str, footer: bool = False, class_: str = "") -> Markup:
    """The table in a frame that scrolls sideways where the page is narrow; the first column heads the rows.

    Args:
        footer: Whether the last row sums up the others, so stays last.
    """
    count = len(columns[0].cells)
    heads = [
        tag("th", column.title, scope="col", class_=words(column), title=column.about,
            data_sort=None if column.keys is None else "number" if column.align == "right" else "text")
        for column in columns
    ]  # fmt: skip
    rows = [
        tag("tr", [cell(column, row, is_head=not place) for place, column in enumerate(columns)])
        for row in range(count)
    ]
    body = rows[:-1] if footer else rows
    parts = [tag("thead", tag("tr", heads)), tag("tbody", body), *([tag("tfoot", rows[-1])] if footer else [])]
    return tag("div", tag("table", parts, class_=class_ or None), class_="scroll", tabindex="0", role="region",
               aria_label=label)  # fmt: skip


def cell(column: Column, row: int, *, is_head: bool) -> Markup:
    key = column.keys[row] if column.keys is not None and row < len(column.keys) else None
    classes = words(column, column.classes[row] if column.classes else "")
    value = None if key is None else key if isinstance(key, str) else repr(float(key))
    if is_head:
        return tag("th", column.cells[row], scope="row", class_=classes, data_key=value)
    return tag("td", column.cells[row], class_=classes, data_key=value)


def words(column: Column, own: str = "") -> str:
    """Classes of a cell."""
    return " ".join(word for word in (column.align, "minor" if column.minor else "", own) if word)
