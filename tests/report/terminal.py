"""A terminal: what a user sees on the screen, and what has scrolled out of it."""

from __future__ import annotations

import io

import pyte


class Terminal(io.StringIO):
    """Standard output that is a terminal of `width` x `height` cells."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(width, height, history=100_000)
        self.parser = pyte.Stream(self.screen)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.parser.feed(text.replace("\n", "\r\n"))
        return len(text)

    def lines(self) -> list[str]:
        """All lines from the first to the one above the cursor, without blanks at their ends."""
        scrolled = ["".join(line[cell].data for cell in range(self.screen.columns)) for line in self.screen.history.top]
        return [line.rstrip() for line in [*scrolled, *self.screen.display[: self.screen.cursor.y]]]
