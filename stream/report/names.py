"""Shortens long names, so that different names stay different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from learners.specification.alternatives import SEARCH_OPTIONS
from learners.specification.family import TRAINING_OPTIONS
from learners.specification.notation import parts
from stream.report.console import Page

BRIEF = 6  # cells of an abbreviation, as wide as a score: `full:sequential` is `ful:se`
SHORTEST = 3  # with fewer letters, a reader no longer recognises an option


def cut(name: str, width: int) -> str:
    """Returns the first `width` cells of `name`."""
    return name if cell_len(name) <= width else set_cell_size(name, max(width, 0)).rstrip()


def abbreviated(name: str, width: int) -> str:
    """Shortens `name` to `width` cells, the longest of its `:` parts first: full:sequential -> full:seq.

    The first part, the family, is shortened last: adapterbias must not become adapter, which is another family.
    """
    parts = name.split(":")
    while cell_len(":".join(parts)) > width and max(map(len, parts)) > 1:
        options = [index for index, part in enumerate(parts) if index and len(part) > SHORTEST]
        longest = max(options or range(len(parts)), key=lambda index: (len(parts[index]), index))
        parts[longest] = parts[longest][:-1]
    return cut(":".join(parts), width)


def short_names(names: Sequence[str], width: int) -> tuple[str, ...]:
    """Shortens each name to `width` cells. The results differ if there is room for a number at the end."""
    short: list[str] = []
    for name in names:
        candidate, number = abbreviated(name, width), 2
        while candidate in short and number <= len(names) + 1:
            mark = f"~{number}"
            candidate, number = abbreviated(name, max(width - len(mark), 0)) + mark, number + 1
        short.append(cut(candidate, width))
    return tuple(short)


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Returns each learner's name without how it is trained and chosen (`learning_rate=3e-4`, `select=halving`), or as
    it is where another one would have the same."""
    left_out = {option.name for option in TRAINING_OPTIONS} | {*SEARCH_OPTIONS}

    def plain(part: str) -> str:
        return ":".join(each for each in parts(part, ":") if each.partition("=")[0] not in left_out)

    found = {name: "+".join(map(plain, parts(name, r"\+(?=[a-z])"))) for name in names}
    return {name: short if [*found.values()].count(short) == 1 else name for name, short in found.items()}


def shown_names(names: Iterable[str], width: int, everyone: Sequence[str]) -> tuple[str, ...]:
    """Returns each name if it fits `width` cells, else its plain name if that fits, else its abbreviation.

    A learner has one plain name and one abbreviation in all tables and charts of a report, whatever their widths and
    orders.

    Args:
        names: The names to show; each is one of `everyone`.
        everyone: The names of all learners of the report, in their order.
    """
    plain = plain_names(everyone)
    brief = dict(zip(everyone, short_names([*plain.values()], min(width, BRIEF)), strict=True))
    return tuple(next((each for each in (name, plain[name]) if cell_len(each) <= width), brief[name]) for name in names)


def packed(entries: Iterable[Text], width: int, gap: int = 3) -> list[Text]:
    """Puts `entries` into as few lines of `width` cells as possible. It never breaks a line inside an entry."""
    lines: list[Text] = []
    for entry in entries:
        entry.truncate(width)
        if lines and lines[-1].cell_len + gap + entry.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], " " * gap, entry)
        else:
            lines.append(entry)
    return lines


def wrapped(words: Sequence[str], width: int, indent: str, separator: str) -> Iterator[str]:
    """Yields lines of fewer than `width` letters with the words. Each begins with `indent`; a word that is longer than
    a line has one of its own."""
    line = ""
    for word in words:
        longer = f"{line}{separator}{word}" if line else f"{indent}{word}"
        if line and len(longer) > width - 1:
            yield f"{line},"
            longer = f"{indent}{word}"
        line = longer
    yield line


def numbered(names: Sequence[str]) -> list[str]:
    """Puts its arrival number before each name, aligned."""
    digits = len(str(len(names)))
    return [f"{index:>{digits}} {name}" for index, name in enumerate(names, start=1)]


def legend(names: Iterable[str], short: Iterable[str], page: Page) -> list[Text]:
    """Returns lines that explain the shortened names; none if no name was shortened."""
    pairs = [f"{brief} = {name}" for name, brief in zip(names, short, strict=True) if brief != name]
    return packed([Text(pair, style="dim") for pair in pairs], page.width)
