"""Renders a report or a run into lines of text, as a terminal of a given kind would show them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from stream.report import SECTIONS, print_report
from stream.results.results import Results


class Output(io.StringIO):
    """A file that claims an encoding and refuses what it cannot encode, as standard output does."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def write(self, text: str) -> int:
        text.encode(self._encoding)
        return super().write(text)


def console(width: int = 80, *, colour: bool = False, ascii_only: bool = False, height: int = 40) -> Console:
    return Console(
        file=Output("ascii" if ascii_only else "utf-8"),
        width=width,
        height=height,
        record=True,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        highlight=False,
        _environ={},
    )


def render(results: dict[str, Any], width: int = 80, *, sections: Sequence[str] = tuple(SECTIONS), **kind: bool) -> str:
    screen = console(width, **kind)
    print_report(Results.from_dict(results), screen, sections)
    return screen.export_text()


def too_wide(text: str, width: int) -> list[str]:
    return [line for line in text.splitlines() if cell_len(line) > width]
