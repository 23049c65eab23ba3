"""Long names in few columns: cut so that names that differ still differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from stream.report.console import Page

SHORTEST = 3  # letters by which an option is still recognised


def cut(name: str, width: int) -> str:
    """At most `width` cells of `name`."""
    return name if cell_len(name) <= width else set_cell_size(name, max(width, 0)).rstrip()


def abbreviated(name: str, width: int) -> str:
    """`name` in `width` cells, taking from the longest of its `:` parts: full:sequential -> full:seq.

    The first part, the family, is cut last, or adapterbias would become adapter, which is another one.
    """
    parts = name.split(":")
    while cell_len(":".join(parts)) > width and max(map(len, parts)) > 1:
        options = [index for index, part in enumerate(parts) if index and len(part) > SHORTEST]
        longest = max(options or range(len(parts)), key=lambda index: (len(parts[index]), index))
        parts[longest] = parts[longest][:-1]
    return cut(":".join(parts), width)


def short_names(names: Sequence[str], width: int) -> tuple[str, ...]:
    """One name of at most `width` cells per name, all different where `width` allows a number at the end."""
    short: list[str] = []
    for name in names:
        candidate, number = abbreviated(name, width), 2
        while candidate in short and number <= len(names) + 1:
            mark = f"~{number}"
            candidate, number = abbreviated(name, max(width - len(mark), 0)) + mark, number + 1
        short.append(cut(candidate, width))
    return tuple(short)


def packed(entries: Iterable[Text], width: int, gap: int = 3) -> list[Text]:
    """`entries` in as few lines of `width` cells as they need; a break never falls inside one."""
    lines: list[Text] = []
    for entry in entries:
        entry.truncate(width)
        if lines and lines[-1].cell_len + gap + entry.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], " " * gap, entry)
        else:
            lines.append(entry)
    return lines


def numbered(names: Sequence[str]) -> list[str]:
    """Names behind their arrival numbers, aligned."""
    digits = len(str(len(names)))
    return [f"{index:>{digits}} {name}" for index, name in enumerate(names, start=1)]


def legend(names: Iterable[str], short: Iterable[str], page: Page) -> list[Text]:
    """What the shortened names stand for; no line where nothing was shortened."""
    pairs = [f"{brief} = {name}" for name, brief in zip(names, short, strict=True) if brief != name]
    return packed([Text(pair, style="dim") for pair in pairs], page.width)
