"""A table as data: its columns, and what a cell may hold beside plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from stream.report.html.marks import Badge


@dataclass(frozen=True)
class TaskName:
    """A name that may break over lines after `:`, `_`, `=` and similar signs; `notes` are shown when pointed at."""

    kind: ClassVar = "task"
    name: str
    notes: str = ""


@dataclass(frozen=True)
class Bar:
    """A score over a bar.

    Attributes:
        text: The score as written.
        length: Of the bar, percent of the cell.
        limit: Where a mark stands on the bar, percent; None for no mark.
        star: Stands behind the best score and takes no room, so that scores stay in line.
    """

    kind: ClassVar = "bar"
    text: str
    tone: str
    length: float
    limit: float | None = None
    star: str = ""


@dataclass(frozen=True)
class Verdict:
    """The result of a proof in one word, and the evidence for it."""

    kind: ClassVar = "verdict"
    word: str
    evidence: str


@dataclass(frozen=True)
class Code:
    """Text in a fixed-width font."""

    kind: ClassVar = "code"
    text: str


@dataclass(frozen=True)
class Loss:
    """A score that fell."""

    kind: ClassVar = "loss"
    text: str


@dataclass(frozen=True)
class Change:
    """Two scores on one line, percent of its length: when the task was learned (a ring), and now (a dot)."""

    kind: ClassVar = "change"
    tone: str
    learned: float
    now: float


@dataclass(frozen=True)
class History:
    """A small curve of scores over arrivals; x in percent, y in pixels from the top."""

    kind: ClassVar = "history"
    tone: str
    points: tuple[tuple[float, float], ...]


Content = str | Badge | TaskName | Bar | Verdict | Code | Loss | Change | History
Key = float | str | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: Heading.
        cells: One per row.
        keys: What rows are sorted by; None comes last either way. Without keys the column does not sort.
        align: `right` for figures.
        style: CSS class of its cells.
        about: What the heading means, shown when it is pointed at.
        minor: Whether a narrow page leaves it out.
    """

    title: str | Badge
    cells: Sequence[Content]
    keys: Sequence[Key] | None = None
    align: Literal["left", "right"] = "right"
    style: str = ""
    about: str = ""
    minor: bool = False

    @property
    def classes(self) -> str:
        return " ".join(filter(None, (self.align, "minor" if self.minor else "", self.style)))

    def key(self, row: int) -> str | None:
        """What the page's script sorts the row by; numbers keep all their digits."""
        value = self.keys[row] if self.keys is not None and row < len(self.keys) else None
        return value if value is None or isinstance(value, str) else repr(float(value))


@dataclass(frozen=True)
class Table:
    """Columns of equal length, of which the first names the rows.

    Attributes:
        label: What the table shows, for screen readers.
        style: CSS class.
        footer: Whether the last row sums up the others, so stays last.
    """

    columns: Sequence[Column]
    label: str
    style: str = ""
    footer: bool = False

    @property
    def count(self) -> int:
        """Rows, without a footer."""
        return len(self.columns[0].cells) - self.footer
