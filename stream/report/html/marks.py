"""Signs that all parts of the page use: the sign of a missing value, and the badge of a learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stream.report.console import Page
from stream.report.palette import LIGHT, sign

PAGE = Page(width=120, colour=True, ascii=False)  # the functions that format numbers need a page
RADIUS = 8.0  # of a badge in a chart, pixels


@dataclass(frozen=True)
class Badge:
    """The badge of a learner: its letter on its colour, the same in every table and chart.

    Attributes:
        name: Name of the learner.
        sign: Its letter, for readers who see no colour.
        tone: CSS classes for its colour and, if colours repeat, for the dashes of its line.
    """

    kind: ClassVar = "learner"
    name: str
    sign: str
    tone: str


def badge(index: int, name: str) -> Badge:
    """Returns the badge of the learner at `index` in the results."""
    turn = index // len(LIGHT) % 3
    return Badge(name, sign(index), f"l{index % len(LIGHT)}" + (f" dash{turn}" if turn else ""))
