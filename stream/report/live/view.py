"""The protocol of all views of a run, and the function that opens a view."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from stream.report.console import DISPLAYS
from stream.report.live.state import Event
from tasks.errors import unknown_name


class View(Protocol):
    """Shows a run. Enter it before the first event and leave it after the last one, also after an exception."""

    def handle(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SilentView:
    """Shows nothing: `--display none`, and `json`, where the command prints one document at the end."""

    def handle(self, event: Event) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


def open_view(display: str, console: Console, clock: Callable[[], float] = time.monotonic) -> View:
    """Returns the view for `display` on `console` (see `make_console`).

    `rich` becomes `plain` if the console is not an interactive terminal, so logs have no control codes.

    Args:
        clock: Returns the time in seconds. A live view computes times and rates with it.

    Raises:
        InputError: `display` is not one of rich, plain, json, none.
    """
    if display not in DISPLAYS:
        raise unknown_name("display", display, DISPLAYS)
    if display in ("json", "none"):
        return SilentView()
    from stream.report.live.plain import PlainView
    from stream.report.live.rich import LiveView

    if display == "rich" and console.is_terminal and not console.is_dumb_terminal:
        return LiveView(console, clock)
    return PlainView(console)
