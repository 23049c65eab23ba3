"""The growth chart: total parameters of each learner as tasks arrive, in multiples of the backbone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.axis import Axis, counting, logarithmic, spread
from stream.report.html.marks import PAGE, RADIUS, Badge, badge
from stream.report.learner_summary import LearnerSummary
from stream.report.names import shown_names
from stream.report.numbers import growth as times

HEIGHT = 300.0  # pixels
NAME_WIDTH = 24  # characters of a name beside a badge
GAP = 2 * RADIUS + 1  # pixels between the centres of two badges, one above the other


@dataclass(frozen=True)
class Curve:
    """The curve of one learner.

    Attributes:
        values: Pairs of arrival and total parameters after it, in multiples of the backbone.
        thickness: Thickness of the line, pixels.
        place: Place of the badge at the end of the curve, pixels from the top.
        name: Name beside the badge, if the page is wide; a long one is abbreviated.
    """

    learner: Badge
    title: str
    values: Sequence[tuple[float, float]]
    thickness: float
    place: float
    name: str


@dataclass(frozen=True)
class Growth:
    """The chart: axes, height in pixels, and the curves, highest first."""

    x: Axis
    y: Axis
    height: float
    curves: Sequence[Curve]
    label: str


def growth(learners: Sequence[LearnerSummary], tasks: int) -> Growth | None:
    """Returns the chart. x: arrivals; y: multiples of the backbone, log scale. None if no growth was recorded."""
    curves = [[(float(n), value) for n, value in enumerate(learner.growth, start=1) if value] for learner in learners]
    known = [value for curve in curves for _, value in curve if value > 0]
    if not known:
        return None
    low = min(1.0, *known)
    x = counting(tasks)
    y = logarithmic(low, max(low * 1.1, *known), lambda value: f"{value:g}{PAGE.times}")
    height = max(HEIGHT, GAP * (len(learners) + 8))  # all badges must fit, one above the other
    drawn = [index for index, curve in enumerate(curves) if curve]
    ends = [y.down(curves[index][-1][1], height) for index in drawn]
    places = dict(zip(drawn, spread(ends, GAP, height), strict=True))
    # Curves can overlap. Later ones are thinner, so that the curve below is visible on both sides.
    widest = 2 + min(len(drawn), 4)
    names = [learner.name for learner in learners]
    short = shown_names(names, NAME_WIDTH, names)
    lines = []
    for rank, index in enumerate(sorted(drawn, key=lambda index: -curves[index][-1][1])):
        arrivals, final = curves[index][-1]
        name = learners[index].name
        title = f"{name}: {times(final, PAGE)} after {arrivals:.0f} arrivals"
        thickness = round(max(widest - 1.2 * (rank % 4), 1.6), 1)
        lines.append(Curve(badge(index, name), title, curves[index], thickness, places[index], short[index]))
    label = "; ".join(f"{learners[index].name} {times(curves[index][-1][1], PAGE)}" for index in drawn)
    return Growth(x, y, height, lines, f"Growth: {label}")
