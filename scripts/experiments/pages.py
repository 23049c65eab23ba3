"""Measured numbers in pages: blocks under a mark, and figures in sentences, tied to the values of a stored measurement.

    <!-- numbers: first_run.run -->     the code block in the next lines is what the step `run` of `first_run` printed;
                                        where no code block follows, the lines up to `<!-- end -->` are
    {"page": "README.md", "sentence": "falls from {before:.2f} to {after:.2f}"}   stands in that page, with these values

White space in a sentence stands for any white space, so that a page may break its lines elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import NamedTuple

from stream import InputError

MARK = re.compile(r"<!-- numbers: ([\w.-]+) -->[^\n]*\n(\n*```[^\n]*\n)?")
END = "<!-- end -->"
Value = float | int | str | None


class Block(NamedTuple):
    """A block of a page: its name, its text, and the place of the text in the page."""

    name: str
    text: str
    start: int
    end: int


def blocks(page: str, where: str) -> Iterator[Block]:
    """The blocks of a page, in its order.

    Args:
        page: Text of the page.
        where: Name of the page, for messages.

    Raises:
        InputError: A block has no end.
    """
    for mark in MARK.finditer(page):
        start, close = mark.end(), "```\n" if mark[2] else END
        end = page.find(close, start)
        if end < 0:
            raise InputError("a block has no end", where=f"{where}: {mark[1]}", expected=close.strip())
        yield Block(mark[1], page[start:end], start, end)


def with_block(page: str, name: str, text: str, where: str) -> str:
    """The page with another text in the block of this name; unchanged if it has none."""
    for block in reversed([*blocks(page, where)]):
        if block.name == name:
            page = page[: block.start] + text + page[block.end :]
    return page


def rendered(sentence: str, values: Mapping[str, Value]) -> str:
    """A sentence with its values.

    Raises:
        InputError: A value is missing, or has another type than its format.
    """
    try:
        return sentence.format(**values)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError("a sentence has no such value", where=sentence, found=str(error)) from None


def says(page: str, sentence: str, values: Mapping[str, Value]) -> bool:
    """Whether the sentence with its values stands in the page."""
    wanted = re.escape(" ".join(rendered(sentence, values).split()))
    return re.search(rf"(?<!\w){wanted}(?!\w)", " ".join(page.split())) is not None


def with_sentence(page: str, sentence: str, values: Mapping[str, Value], where: str) -> str:
    """The page with these values in the sentence.

    Raises:
        InputError: The sentence does not stand in the page once, or begins or ends with a value: then nothing tells
            where the value in the page begins or ends.
    """
    parts = [*Formatter().parse(sentence)]
    if not parts[0][0].strip() or parts[-1][1] is not None:
        raise InputError("a sentence begins and ends with words", where=f"{where}: {sentence}")
    pattern, shown = "", []
    for literal, name, spec, _ in parts:
        pattern += r"\s+".join(map(re.escape, re.split(r"\s+", literal)))
        if name is not None:
            pattern += r"(\S+?(?: \S+?)??)"
            shown.append(rendered("{" + name + ":" + (spec or "") + "}", values))
    found = [*re.finditer(pattern, page)]
    if len(found) != 1:
        raise InputError("a sentence must stand in its page once", where=f"{where}: {sentence}", found=str(len(found)))
    for place in reversed(range(len(shown))):
        start, end = found[0].span(place + 1)
        page = page[:start] + shown[place] + page[end:]
    return page
