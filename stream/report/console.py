"""The console that the report is printed on, and `Page`, which says what the console can show.

Colour, width and character set are decided here. All other code asks the page.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import IO, Literal, get_args

from rich.console import Console

from tasks.errors import unknown_name

Display = Literal["rich", "plain", "json", "none"]
DISPLAYS: tuple[Display, ...] = get_args(Display)

# Okabe and Ito (2008): eight colours that readers with any common colour vision can distinguish; white replaces black.
LEARNER_COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2", "#ffffff")


@dataclass(frozen=True)
class Page:
    """What a console can show.

    Attributes:
        width: Width of a line, in terminal cells.
        colour: Whether the reader sees colours.
        ascii: Whether only ASCII characters may be written.
    """

    width: int
    colour: bool
    ascii: bool

    @property
    def missing(self) -> str:
        """The sign for a value that does not exist. It is never a number."""
        return "-" if self.ascii else "–"

    @property
    def times(self) -> str:
        return "x" if self.ascii else "×"

    @property
    def best(self) -> str:
        return "*" if self.ascii else "★"

    @property
    def dot(self) -> str:
        """The sign for a cell that was not evaluated."""
        return "." if self.ascii else "·"

    def text(self, words: object) -> str:
        """Returns `words` on one line. `?` replaces control characters and those that the console cannot encode."""
        kept = (c if c.isprintable() and (c.isascii() or not self.ascii) else "?" for c in str(words))
        return "".join(kept)

    def joined(self, *facts: str) -> str:
        """Returns the facts that are not empty, with a separator between them."""
        return f" {'|' if self.ascii else '·'} ".join(fact for fact in facts if fact)


def page_of(console: Console) -> Page:
    """Returns the page of `console`: its width, colour system, `NO_COLOR` and encoding decide."""
    colour = console.color_system is not None and not console.no_color
    return Page(console.width, colour, not console.encoding.lower().startswith("utf"))


def make_console(display: str = "rich", width: int | None = None, file: IO[str] | None = None) -> Console:
    """Returns a console for `display`: rich on a terminal, plain text elsewhere, silent for `json` and `none`.

    The console is plain if the output is not a terminal, `TERM` is `dumb` or `unknown`, or `CI` is set. It respects
    `NO_COLOR` and `COLUMNS`.

    Args:
        display: `rich` (default), `plain`, `json` or `none`.
        width: Width in terminal cells; it overrides the terminal and `COLUMNS`. Default: as they say.
        file: The output. Default: standard output.

    Raises:
        InputError: `display` is not one of rich, plain, json, none.
    """
    if display not in DISPLAYS:
        raise unknown_name("display", display, DISPLAYS)
    stream = sys.stdout if file is None else file
    if width is None and os.environ.get("COLUMNS") == "0":  # the size is not known; rich would print nothing
        width = shutil.get_terminal_size().columns
    if display in ("json", "none"):
        return Console(file=stream, width=width, quiet=True)
    if display == "plain" or not is_interactive(stream):
        return Console(file=stream, width=width, force_terminal=False, color_system=None, highlight=False, emoji=False)
    return Console(file=stream, width=width, highlight=False, emoji=False)


def is_interactive(stream: IO[str] | None) -> bool:
    """Whether `stream` is a terminal that understands cursor movements. None is a closed standard output."""
    if stream is None or os.environ.get("CI") or os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    return stream.isatty()
