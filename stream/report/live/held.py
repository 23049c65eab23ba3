"""The view of a run that may have nothing left to do: it shows nothing until a job begins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from stream.report.live.state import Event
from stream.report.live.view import View


class HeldView:
    """Holds the events back until the first job begins, and then shows all of them.

    Args:
        make: Opens the view.
    """

    def __init__(self, make: Callable[[], View]) -> None:
        self.make = make
        self.held: list[Event] = []
        self.view: View | None = None
        self.entered = ExitStack()

    def handle(self, event: Event) -> None:
        if self.view is None:
            self.held.append(event)
            if event.get("event") != "start":
                return
            self.view = self.entered.enter_context(self.make())
            for each in self.held:
                self.view.handle(each)
        else:
            self.view.handle(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.entered.__exit__(kind, error, trace)
