"""The one protocol of everything that watches a run, and the way to open one."""

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
    """Watches a run; entered before the first event and left after the last, also by an exception."""

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
    """The view for `display` on `console` (see `make_console`).

    `rich` becomes plain where the console is no interactive terminal, so that logs hold no control codes.

    Args:
        clock: Seconds, by which a live view tells times and rates.

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
