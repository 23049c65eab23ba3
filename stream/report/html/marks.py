"""Signs that all parts of the page share: how a missing value is written, and the badge of a learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stream.report.console import Page
from stream.report.palette import LIGHT, sign

PAGE = Page(width=120, colour=True, ascii=False)  # for the functions that format numbers
RADIUS = 8.0  # pixels: of a badge in a chart


@dataclass(frozen=True)
class Badge:
    """A learner: its letter on its colour, the same in every table and chart.

    Attributes:
        name: Of the learner.
        sign: Its letter, so that nothing depends on colour.
        tone: CSS classes that set its colour and, where colours repeat, the dashes of its line.
    """

    kind: ClassVar = "learner"
    name: str
    sign: str
    tone: str


def badge(index: int, name: str) -> Badge:
    """Of the learner at `index` in the results."""
    turn = index // len(LIGHT) % 3
    return Badge(name, sign(index), f"l{index % len(LIGHT)}" + (f" dash{turn}" if turn else ""))
