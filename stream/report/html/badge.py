"""The badge of a learner: its letter on its colour, the same in every table and figure."""

from __future__ import annotations

from stream.report.html.markup import Markup, breakable, tag
from stream.report.palette import DARK, LIGHT, ink, sign

RADIUS = 8.0  # pixels


def tone(index: int) -> str:
    """Classes that set the colour of a learner and, where colours come round again, the dashes of its line."""
    turn = index // len(LIGHT) % 3
    return f"l{index % len(LIGHT)}" + (f" dash{turn}" if turn else "")


def tones() -> str:
    """The style of those classes: `--c` the colour, `--i` what is written on it."""
    light = [f".l{index}{{--c:{colour};--i:{ink(colour)}}}" for index, colour in enumerate(LIGHT)]
    dark = [f".l{index}{{--c:{colour};--i:{ink(colour)}}}" for index, colour in enumerate(DARK)]
    return f"{''.join(light)}@media screen and (prefers-color-scheme:dark){{{''.join(dark)}}}"


def badge(index: int) -> Markup:
    """In text."""
    return tag("span", sign(index), class_=f"badge {tone(index)}")


def named(index: int, name: str) -> Markup:
    """Badge and name."""
    return tag("span", badge(index), " ", tag("span", breakable(name)), class_="named")


def bar(index: int, words: str, fraction: float | None, *, star: str = "", limit: float | None = None) -> Markup:
    """A figure over a bar in the learner's colour, `fraction` of the cell wide; `star` stands behind the figure and
    takes no room, so that figures stay in line; `limit` is a mark on the bar."""
    width = 0.0 if fraction is None else 100 * min(max(fraction, 0.0), 1.0)
    place = "" if limit is None else f";--k:{100 * limit:.1f}%"
    shown = tag("span", star, class_="star") if star else None
    return tag(
        "span", words, shown, class_=f"bar {tone(index)}{' best' if star else ''}", style=f"--v:{width:.1f}%{place}"
    )


def mark(index: int, x: float, y: float, title: str) -> Markup:
    """In a figure, its centre at (x, y) pixels."""
    return tag(
        "g",
        tag("title", title),
        tag("circle", cx=x, cy=y, r=RADIUS),
        tag("text", sign(index), x=x, y=y, dy="0.35em"),
        class_=f"mark {tone(index)}",
    )
