"""Where the report is printed: the console, and the `Page` that says what it can show.

Colour, width and character set are decided here once; everything else asks the page.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, Literal, get_args

from rich.console import Console

from tasks.errors import unknown_name

Display = Literal["rich", "plain", "json", "none"]
DISPLAYS: tuple[Display, ...] = get_args(Display)

# Okabe and Ito (2008): eight colours that all common kinds of colour vision tell apart; black replaced by white.
LEARNER_COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2", "#ffffff")


@dataclass(frozen=True)
class Page:
    """What a console can show.

    Attributes:
        width: Columns of a line, in terminal cells.
        colour: Whether colours reach the reader; shades mean nothing where not.
        ascii: Whether only ASCII may be written.
    """

    width: int
    colour: bool
    ascii: bool

    @property
    def missing(self) -> str:
        """Stands for a value that does not exist; never a number."""
        return "-" if self.ascii else "–"

    @property
    def times(self) -> str:
        return "x" if self.ascii else "×"

    @property
    def best(self) -> str:
        return "*" if self.ascii else "★"

    @property
    def dot(self) -> str:
        """A cell that was not evaluated, and the separator of short facts."""
        return "." if self.ascii else "·"

    def text(self, words: object) -> str:
        """`words` on one line, without control characters or what the console cannot encode."""
        kept = (c if c.isprintable() and (c.isascii() or not self.ascii) else "?" for c in str(words))
        return "".join(kept)

    def joined(self, *facts: str) -> str:
        return f" {'|' if self.ascii else '·'} ".join(fact for fact in facts if fact)


def page_of(console: Console) -> Page:
    """The page of `console`, from its size, colour system, `NO_COLOR` and encoding."""
    colour = console.color_system is not None and not console.no_color
    return Page(console.width, colour, not console.encoding.lower().startswith("utf"))


def make_console(display: str = "rich", width: int | None = None, file: IO[str] | None = None) -> Console:
    """A console for `display`: rich on a terminal, plain text elsewhere, mute for `json` and `none`.

    Plain is automatic when the output is no terminal, `TERM` is `dumb` or `unknown`, or `CI` is set. `NO_COLOR`
    and `COLUMNS` are honoured; `width` (columns) wins over both terminal and `COLUMNS`.

    Raises:
        InputError: `display` is not one of rich, plain, json, none.
    """
    if display not in DISPLAYS:
        raise unknown_name("display", display, DISPLAYS)
    stream = sys.stdout if file is None else file
    if display in ("json", "none"):
        return Console(file=stream, width=width, quiet=True)
    if display == "plain" or not is_interactive(stream):
        return Console(file=stream, width=width, force_terminal=False, color_system=None, highlight=False, emoji=False)
    return Console(file=stream, width=width, highlight=False, emoji=False)


def is_interactive(stream: IO[str]) -> bool:
    """Whether a person watches `stream` on a terminal that understands cursor movements."""
    if os.environ.get("CI") or os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    return stream.isatty()
