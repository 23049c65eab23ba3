"""Markup built of elements: what is not markup already is escaped, so no name from outside can become any."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = frozenset({"meta", "br", "wbr", "col"})  # elements of HTML that have no end tag


class Markup(str):
    """Text that is markup; made by the functions here alone."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        children: Text, which is escaped, elements, or lists of both; None is left out.
        attributes: `_` stands for `-`, one at the end is dropped (`class_`); None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(plain(figure(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    opening = f"<{name}{written}>"
    return Markup(opening if name in VOID else f"{opening}{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Children one after another."""
    return Markup("".join(map(_markup, children)))


def _markup(child: Child) -> str:
    if child is None or isinstance(child, Markup):
        return child or ""
    if isinstance(child, str):
        return escape(plain(child), quote=False)
    return "".join(map(_markup, child))


def plain(text: str) -> str:
    """Text without what no page should hold: control characters and marks that turn the direction of reading."""
    return "".join(character if character.isprintable() or character in "\n\u00a0" else "?" for character in text)


def figure(value: str | float) -> str:
    """A coordinate with at most two decimals, or text as it is."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def breakable(name: str) -> Markup:
    """A name that may be broken over lines after `:`, `_`, `=` and `+`, and nowhere else."""
    pieces: list[Child] = []
    for character in name:
        pieces.append(character)
        if character in ":_=+/,":
            pieces.append(tag("wbr"))
    return join(pieces)
