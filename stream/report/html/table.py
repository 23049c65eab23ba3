"""A table as data: its columns, and the kinds of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from stream.report.html.marks import Badge


@dataclass(frozen=True)
class TaskName:
    """A name that may break after `:`, `_`, `=` and similar signs. `notes` appear when the mouse is over it."""

    kind: ClassVar = "task"
    name: str
    notes: str = ""


@dataclass(frozen=True)
class Bar:
    """A score over a bar.

    Attributes:
        text: The score as written.
        tone: CSS class of the learner's colour.
        length: Length of the bar, percent of the cell.
        limit: Place of a mark on the bar, percent; None for no mark.
        star: The sign after the best score. It takes no room, so scores stay aligned.
    """

    kind: ClassVar = "bar"
    text: str
    tone: str
    length: float
    limit: float | None = None
    star: str = ""


@dataclass(frozen=True)
class Verdict:
    """The verdict in one word, and the evidence for it."""

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
    """Two scores on one line, in percent of its length: when the task was learned (a ring), and now (a dot)."""

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
        keys: Sort key of each row; None always comes last. Without keys, the reader cannot sort by this column.
        align: `right` (default) for numbers.
        style: CSS class of its cells.
        about: The meaning of the heading. It appears when the mouse is over it.
        minor: Whether a narrow page hides the column.
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
        """Returns the sort key of a row as text. Numbers keep all their digits."""
        value = self.keys[row] if self.keys is not None and row < len(self.keys) else None
        return value if value is None or isinstance(value, str) else repr(float(value))


@dataclass(frozen=True)
class Table:
    """Columns of equal length. The first one names the rows.

    Attributes:
        label: What the table shows, for screen readers.
        style: CSS class.
        footer: Whether the last row sums up the others and therefore stays last.
    """

    columns: Sequence[Column]
    label: str
    style: str = ""
    footer: bool = False

    @property
    def count(self) -> int:
        """Number of rows without the footer."""
        return len(self.columns[0].cells) - self.footer
