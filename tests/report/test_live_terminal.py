"""The live view on an emulated terminal: every permanent line is there once, and nothing of the live part stays."""

from __future__ import annotations

import sys
import threading
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from stream.report.live.plain import PlainView
from stream.report.live.rich import LiveView

from .fake_results import HOULSBY26, LEARNERS, make_events, make_results
from .rendering import console
from .terminal import Terminal


class Interrupted(Console):
    """A console on which another thread tries to draw while this one prints a line, if `meanwhile` is set."""

    meanwhile: Any = None

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Any:
        if isinstance(renderable, Text) and self.meanwhile and threading.current_thread() is threading.main_thread():
            thread = threading.Thread(target=self.meanwhile)
            thread.start()
            thread.join(0.01)  # longer than a drawing takes; if it has to wait for this line, it ends after it
        segments: list[Segment] = list(super().render(renderable, options))
        return segments


STRAY = "a line that a library prints"


@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking: minutes
@given(st.data())
def test_every_permanent_line_is_there_once_and_nothing_else(data: st.DataObject) -> None:
    width, height = data.draw(st.sampled_from([40, 80, 100, 132])), data.draw(st.integers(2, 45))
    learners = list(LEARNERS)[: data.draw(st.integers(1, 8))]
    first, *others = make_events(make_results(HOULSBY26[: data.draw(st.integers(1, 2))], learners), ends=False)
    order = data.draw(st.permutations(others))
    what = data.draw(st.lists(st.sampled_from(["", "", "drawn", "meanwhile", "printed"]), min_size=1, max_size=9))
    terminal, expected = Terminal(width, height), console(width)
    screen = Interrupted(file=terminal, width=width, height=height, force_terminal=True, _environ={"TERM": "xterm"})
    ticks = iter(range(10**9))
    with LiveView(screen, lambda: float(next(ticks))) as view, PlainView(expected, lambda: 0.0) as plain:
        for number, event in enumerate([first, *order, {"event": "end", "seconds": 1.0}]):
            act = what[number % len(what)]
            screen.meanwhile = view.refresh if act == "meanwhile" else None
            view.handle(event)
            plain.handle(event)
            if act == "drawn":
                view.refresh()
            if act == "printed":
                print(STRAY, file=sys.stderr if number % 2 else sys.stdout)
                expected.print(STRAY)
    assert terminal.lines() == [line.rstrip() for line in expected.export_text().splitlines()]
    assert terminal.screen.display[terminal.screen.cursor.y :] == [" " * width] * (height - terminal.screen.cursor.y)
