"""Shows a run as plain lines: for logs, pipes, continuous integration and terminals without cursor movements."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.text import Text

from stream.report.console import page_of
from stream.report.live.lines import PermanentLines
from stream.report.live.state import Event, RunState
from stream.report.names import cut
from stream.report.numbers import duration

INTERVAL = 30.0  # seconds between progress lines: about a hundred per hour


class PlainView:
    """Prints the permanent lines, and at most one progress line per `INTERVAL` seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.page = console, page_of(console)
        self.state = RunState(clock)
        self.permanent = PermanentLines(self.state, self.page)
        self.last = clock()

    def handle(self, event: Event) -> None:
        self.state.handle(event)
        for line in self.permanent.lines(event):
            self.write(line)
        if event.get("event") in ("fit", "progress", "row") and self.state.clock() - self.last >= INTERVAL:
            self.last = self.state.clock()
            self.write(progress_line(self.state, event, self))

    def write(self, line: Text) -> None:
        self.console.print(line.plain, markup=False, highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


def progress_line(state: RunState, event: Event, view: PlainView) -> Text:
    """Returns the progress line: jobs done, times, and the learner and task of the last event."""
    page = view.page
    jobs = page.missing if state.jobs is None else str(state.jobs)
    facts = page.joined(
        f"... {state.done}/{jobs} jobs",
        f"elapsed {duration(state.elapsed, page)}",
        f"about {duration(state.remaining, page)} left" if state.remaining is not None else "",
        f"{state.failed} failed" if state.failed else "",
        f"{event.get('learner')} {event.get('task')}",
    )
    return Text(cut(page.text(facts), page.width))
