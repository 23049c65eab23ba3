"""The growth curves of all learners: total parameters as tasks arrive, relative to the backbone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.axis import Axis, counting, logarithmic, spread
from stream.report.html.marks import PAGE, RADIUS, Badge, badge
from stream.report.learner_summary import LearnerSummary
from stream.report.numbers import growth as times

HEIGHT = 300.0  # pixels
GAP = 2 * RADIUS + 1  # pixels between the centres of badges that stand one above another


@dataclass(frozen=True)
class Curve:
    """The curve of one learner.

    Attributes:
        values: Arrivals, and the total parameters after them in times of the backbone.
        thickness: Of the line, pixels.
        place: Of the badge beside its end, pixels from the top.
    """

    learner: Badge
    title: str
    values: Sequence[tuple[float, float]]
    thickness: float
    place: float


@dataclass(frozen=True)
class Growth:
    """The chart: axes, height in pixels, and the curves, the highest first."""

    x: Axis
    y: Axis
    height: float
    curves: Sequence[Curve]
    label: str


def growth(learners: Sequence[LearnerSummary], tasks: int) -> Growth | None:
    """Arrivals across, times the backbone up on a logarithmic axis; None where no growth was recorded."""
    curves = [[(float(n), value) for n, value in enumerate(learner.growth, start=1) if value] for learner in learners]
    known = [value for curve in curves for _, value in curve if value > 0]
    if not known:
        return None
    low = min(1.0, *known)
    x = counting(tasks)
    y = logarithmic(low, max(low * 1.1, *known), lambda value: f"{value:g}{PAGE.times}")
    height = max(HEIGHT, GAP * (len(learners) + 8))  # at least as tall as its badges one above another
    drawn = [index for index, curve in enumerate(curves) if curve]
    ends = [y.down(curves[index][-1][1], height) for index in drawn]
    places = dict(zip(drawn, spread(ends, GAP, height), strict=True))
    # Curves that run over each other: the later ones are thinner, so that those below show at both sides.
    widest = 2 + min(len(drawn), 4)
    made = []
    for rank, index in enumerate(sorted(drawn, key=lambda index: -curves[index][-1][1])):
        arrivals, final = curves[index][-1]
        name = learners[index].name
        title = f"{name}: {times(final, PAGE)} after {arrivals:.0f} arrivals"
        thickness = round(max(widest - 1.2 * (rank % 4), 1.6), 1)
        made.append(Curve(badge(index, name), title, curves[index], thickness, places[index]))
    label = "; ".join(f"{learners[index].name} {times(curves[index][-1][1], PAGE)}" for index in drawn)
    return Growth(x, y, height, made, f"Growth: {label}")
