"""The growth curves of all learners: parameters kept as tasks arrive, in times of the backbone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stream.report.console import Page
from stream.report.html.axis import counting, logarithmic, spread
from stream.report.html.badge import RADIUS, mark, tone
from stream.report.html.chart import at, chart, line, up
from stream.report.html.markup import Markup, tag
from stream.report.learner_summary import standings
from stream.report.numbers import growth as times

HEIGHT = 300.0  # pixels
GAP = 2 * RADIUS + 1  # pixels between the centres of badges that stand one above another
CAPTION = (
    "Parameters kept for all tasks so far, heads included, in times of the backbone (Houlsby et al. 2019, section 3). "
    "Curves that end at the same height have their letters one above another."
)


def growth(results: Mapping[str, Any], page: Page) -> Markup:
    """Arrivals across, times of the backbone up on a logarithmic axis, a badge at the end of each curve."""
    learners = standings(results)
    curves = [[(float(n), value) for n, value in enumerate(learner.growth, start=1) if value] for learner in learners]
    known = [value for curve in curves for _, value in curve if value > 0]
    if not known:
        return tag("figure", tag("h2", "Growth"), tag("p", "No growth was recorded."), id="growth")
    low = min(1.0, *known)
    x = counting(len(results["order"]))
    y = logarithmic(low, max(low * 1.1, *known), lambda value: f"{value:g}{page.times}")
    height = max(HEIGHT, GAP * (len(learners) + 8))  # at least as tall as its badges one above another
    drawn = [index for index, curve in enumerate(curves) if curve]
    ends = {index: up(y, curves[index][-1][1], height) for index in drawn}
    places = dict(zip(drawn, spread([ends[index] for index in drawn], GAP, height), strict=True))
    # Curves that run over each other: the later ones are thinner, so that those below show at both sides.
    widest = 2 + min(len(drawn), 4)
    marks = []
    for rank, index in enumerate(sorted(drawn, key=lambda index: -curves[index][-1][1])):
        title = f"{learners[index].name}: {times(curves[index][-1][1], page)} after {curves[index][-1][0]:.0f} arrivals"
        thin = max(widest - 1.2 * (rank % 4), 1.6)
        drawing = line(curves[index], x, y, height, f"curve {tone(index)}", title)
        marks.append(tag("g", drawing, style=f"stroke-width:{thin:.1f}px"))
        end = f"{100 * x.at(curves[index][-1][0]):.2f}%"
        bent = math.isclose(ends[index], places[index], abs_tol=0.5)
        tie = tag("line", x1=0, y1=ends[index], x2=14, y2=places[index], class_=f"tie {tone(index)}")
        marks.append(at(end, None if bent else tie, mark(index, 14 + RADIUS, places[index], title)))
    label = "Growth: " + "; ".join(
        f"{learner.name} {times(curve[-1][1], page)}" for learner, curve in zip(learners, curves, strict=True) if curve
    )
    shown = chart(x, y, height, marks, x_title="arrivals", y_title=f"{page.times} backbone, log scale", label=label)
    return tag("figure", tag("h2", "Growth"), shown, tag("figcaption", CAPTION), id="growth")
