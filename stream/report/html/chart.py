"""The frame of a figure: gridlines, ticks, captions. It fills the width it is given, and its text keeps its size.

Across, places are in percent; up, in pixels. So no text grows or shrinks with the page, on a phone or on paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.report.html.axis import Axis
from stream.report.html.markup import Child, Markup, tag

SCALE = 1000.0  # units across that a line's points are given in; the line is stretched to the width of the page


def chart(x: Axis, y: Axis, height: float, marks: Child, *, x_title: str, y_title: str, label: str) -> Markup:
    """A figure.

    Args:
        marks: What is drawn in it, below the ticks.
        label: What it shows, for those who do not see it.
    """
    return tag(
        "div",
        tag("p", y_title, class_="axis"),
        tag(
            "svg",
            [_across(y, value, name, height) for value, name in y.ticks],
            [_down(x, value, name, height) for value, name in x.ticks],
            marks,
            class_="plot",
            role="img",
            aria_label=label,
            style=f"height:{height:.0f}px",
        ),
        tag("p", x_title, class_="axis x"),
        class_="chart",
    )


def up(axis: Axis, value: float, height: float) -> float:
    """Pixels from the top."""
    return height * (1 - axis.at(value))


def percent(axis: Axis, value: float) -> str:
    return f"{100 * axis.at(value):.2f}%"


def line(points: Sequence[tuple[float, float]], x: Axis, y: Axis, height: float, class_: str, title: str) -> Markup:
    """A line through (x, y) values."""
    written = " ".join(f"{SCALE * x.at(a):.1f},{up(y, b, height):.1f}" for a, b in points)
    drawn = tag("polyline", tag("title", title), points=written, class_=class_, vector_effect="non-scaling-stroke")
    box = f"0 0 {SCALE:.0f} {height:.0f}"
    return tag("svg", drawn, viewBox=box, preserveAspectRatio="none", width="100%", height=height, class_="lines")


def at(place: str, *children: Child) -> Markup:
    """Children in pixels, from a place given in percent."""
    return tag("svg", *children, x=place, class_="at")


def _across(axis: Axis, value: float, name: str, height: float) -> Markup:
    y = up(axis, value, height)
    text = tag("text", name, x=-8, y=y, dy="0.35em", class_="tick up")
    return tag("g", tag("line", x1=0, x2="100%", y1=y, y2=y, class_="grid"), text)


def _down(axis: Axis, value: float, name: str, height: float) -> Markup:
    x = percent(axis, value)
    text = tag("text", name, x=x, y=height, dy=18, class_="tick")
    return tag("g", tag("line", x1=x, x2=x, y1=height, y2=height + 4, class_="grid"), text)
