"""A run as plain lines: for logs, pipes, continuous integration and terminals without cursor movements."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from stream.report.console import page_of
from stream.report.live.lines import PermanentLines
from stream.report.live.state import Board, Event
from stream.report.names import cut
from stream.report.numbers import duration

INTERVAL = 30.0  # seconds between progress lines: a log of an hour keeps about a hundred of them


class PlainView:
    """Prints the permanent lines, and at most every `INTERVAL` seconds one line of progress."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.page = console, page_of(console)
        self.board = Board(clock)
        self.permanent = PermanentLines(self.board, self.page)
        self.last = clock()

    def handle(self, event: Event) -> None:
        self.board.handle(event)
        for line in self.permanent.lines(event):
            self.write(line, soft_wrap=event.get("event") == "interrupted")
        if event.get("event") in ("fit", "progress", "row") and self.board.clock() - self.last >= INTERVAL:
            self.last = self.board.clock()
            self.write(progress_line(self.board, event, self))

    def write(self, line: Text, *, soft_wrap: bool = False) -> None:
        self.console.print(line.plain, markup=False, highlight=False, soft_wrap=soft_wrap)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


def progress_line(board: Board, event: Event, view: PlainView) -> Text:
    """Jobs done, times, and what the event told last."""
    page = view.page
    jobs = page.missing if board.jobs is None else str(board.jobs)
    facts = page.joined(
        f"... {board.done}/{jobs} jobs",
        f"elapsed {duration(board.elapsed, page)}",
        f"about {duration(board.remaining, page)} left" if board.remaining is not None else "",
        f"{failed} failed" if (failed := sum(len(course.failed) for course in board.courses.values())) else "",
        f"{event.get('learner')} {event.get('task')}",
    )
    return Text(cut(page.text(facts), page.width))
