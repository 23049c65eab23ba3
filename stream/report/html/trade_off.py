"""The chart of score against trained parameters, as in Houlsby et al. (2019), Figures 1 and 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.axis import Axis, linear, logarithmic
from stream.report.html.marks import PAGE, RADIUS, Badge, badge
from stream.report.learner_summary import LearnerSummary
from stream.report.numbers import points, share
from stream.report.terminal.league import interval_words, margin
from stream.results.results import Results

HEIGHT = 300.0  # pixels
NARROW = 300.0  # width on a phone, pixels: badges that do not touch there do not touch on a wider page
ZERO = 0.05  # place of learners without trained parameters, a fraction of the axis
# Names of the paper's baseline, one copy of the model per task; the last one is that of earlier versions.
REFERENCE = frozenset({"full", "full:isolated", "full:sharing=isolated"})


@dataclass(frozen=True)
class Dot:
    """One learner.

    Attributes:
        place: Place on the x axis, a fraction.
        score: Points.
        margin: Half the length of its whisker, points; 0 if not known.
        way: Distance from the dot to the centre of its badge, pixels to the right and down.
    """

    learner: Badge
    title: str
    place: float
    score: float
    margin: float
    way: tuple[float, float]


@dataclass(frozen=True)
class TradeOff:
    """The chart.

    Attributes:
        whiskers: What the whiskers show; empty if there are none.
        reference: Score of full fine-tuning with one copy of the model per task, points; None if it was not run.
        zero: Place of learners without trained parameters, a fraction of the x axis; None if there is none.
    """

    x: Axis
    y: Axis
    height: float
    dots: Sequence[Dot]
    whiskers: str
    reference: float | None
    zero: float | None
    label: str


def trade_off(results: Results, learners: Sequence[LearnerSummary]) -> TradeOff | None:
    """Returns the chart. x: trained parameters per task; y: average score. None if no learner has both."""
    drawn = [i for i, learner in enumerate(learners) if None not in (learner.average, learner.trained_share)]
    if not drawn:
        return None
    scores = {index: 100 * (learners[index].average or 0.0) for index in drawn}
    halves = {index: margin(learners[index], results) for index in drawn}
    low, high = min(scores[i] - halves[i] for i in drawn), max(scores[i] + halves[i] for i in drawn)
    y = linear(low, high, lambda value: f"{value:g}")
    x, zero = parameters_axis([learners[index].trained_share or 0.0 for index in drawn])
    places = [place_of(learners[index], x) for index in drawn]
    ways = apart([(NARROW * a, y.down(scores[i], HEIGHT)) for i, a in zip(drawn, places, strict=True)])
    dots, facts = [], []
    for index, place, way in zip(drawn, places, ways, strict=True):
        name, trained = learners[index].name, share(learners[index].trained_share, PAGE)
        title = f"{name}: {points(learners[index].average, PAGE)} at {trained} per task"
        dots.append(Dot(badge(index, name), title, place, scores[index], halves[index], way))
        facts.append(f"{name} {scores[index]:.1f} at {trained}")
    label = f"Score against trained parameters: {'; '.join(facts)}"
    whiskers = interval_words(results)
    return TradeOff(x, y, HEIGHT, dots, whiskers, reference(results, learners), ZERO if zero else None, label)


def parameters_axis(shares: Sequence[float]) -> tuple[Axis, bool]:
    """Returns a logarithmic axis over the shares above 0, and whether some are 0. Zero has a place at the left."""
    known = [value for value in shares if value > 0]
    low, high = min(known, default=0.01), max(known, default=1.0)
    zero = len(known) < len(shares)
    low, high = (low / 1.6, high * 1.6) if low < high else (low / 10, high * 10)
    return logarithmic(low, high, lambda value: f"{100 * value:g}%", 2.5 * ZERO if zero else 0.0), zero


def place_of(learner: LearnerSummary, x: Axis) -> float:
    return x.at(learner.trained_share) if learner.trained_share else ZERO


def reference(results: Results, learners: Sequence[LearnerSummary]) -> float | None:
    """Returns the score of full fine-tuning with one copy of the model per task, in points; None if it was not run."""
    for learner in learners:
        if REFERENCE & {learner.name, results[learner.name].canonical} and learner.average is not None:
            return 100 * learner.average
    return None


def apart(centres: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Returns the distance from each dot to its badge, in pixels.

    A badge gets the nearest place where it covers no dot and no other badge.
    """
    steps = (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6)
    ways = [(side * 18.0 * reach, 17.0 * step) for reach in (1, 2, 3) for step in steps for side in (1, -1)]
    ways.sort(key=lambda way: way[0] ** 2 + way[1] ** 2)
    taken: list[tuple[float, float]] = []
    chosen = []
    for a, b in centres:
        free = [
            (dx, dy)
            for dx, dy in ways
            if RADIUS <= a + dx <= NARROW - RADIUS and RADIUS <= b + dy <= HEIGHT - RADIUS
            and all((a + dx - p) ** 2 + (b + dy - q) ** 2 >= (2 * RADIUS) ** 2 for p, q in taken)
            and all((a + dx - p) ** 2 + (b + dy - q) ** 2 >= (RADIUS + 5) ** 2 for p, q in centres)
        ]  # fmt: skip
        dx, dy = free[0] if free else (ways[0] if a < NARROW / 2 else (-ways[0][0], ways[0][1]))
        taken.append((a + dx, b + dy))
        chosen.append((dx, dy))
    return chosen
