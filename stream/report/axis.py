"""Axes of charts: the place of a value on an axis, and the ticks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis.

    Attributes:
        low, high: Values at the ends, low < high; both above 0 if `log`.
        ticks: Value and label of each tick.
        log: Whether the scale is logarithmic. Default: linear.
        start: Fraction of the axis before `low`, for values that a logarithmic scale does not have. Default: 0.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    log: bool = False
    start: float = 0.0

    def at(self, value: float) -> float:
        """Returns the place of `value` as a fraction of the axis. Values outside [low, high] get its ends."""
        if self.log:
            place = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            place = (value - self.low) / (self.high - self.low)
        return self.start + (1 - self.start) * min(max(place, 0.0), 1.0)

    def down(self, value: float, height: float) -> float:
        """Returns the place of `value` on a vertical axis of `height` pixels, in pixels from the top."""
        return height * (1 - self.at(value))


def linear(low: float, high: float, label: Callable[[float], str], count: int = 5) -> Axis:
    """Returns an axis of about `count` round steps that contains [low, high]."""
    step = round_step((high - low) / count) if high > low else 1.0
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return Axis(first * step, last * step, tuple((n * step, label(n * step)) for n in range(first, last + 1)))


def logarithmic(low: float, high: float, label: Callable[[float], str], start: float = 0.0) -> Axis:
    """Returns a logarithmic axis over [low, high].

    It has ticks at 1, 2 and 5 times each power of ten, and fewer if these are more than 7. A range with fewer than
    three such values has ticks at round steps.
    """
    decades = range(math.floor(math.log10(low) - 1e-9), math.ceil(math.log10(high) + 1e-9) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [value for value in values if low * 0.999 <= value <= high * 1.001]
        if len(ticks) <= 7:
            break
    if len(ticks) < 3:
        step = round_step((high - low) / 4)
        ticks = [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return Axis(low, high, tuple((value, label(value)) for value in ticks), log=True, start=start)


def counting(last: int, most: int = 8) -> Axis:
    """Returns an axis over 1 .. last, with ticks at 1 and at most `most` round numbers."""
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if last / step <= most)
    marks = [n for n in range(every, last + 1, every) if n - 1 >= every / 2]
    return Axis(1, max(last, 2), tuple((float(n), str(n)) for n in (1, *marks)))


def round_step(step: float) -> float:
    """Returns the smallest number of the form 1, 2 or 5 times a power of ten that is not below `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * (1 - 1e-9))


def spread(places: Sequence[float], gap: float, end: float = math.inf) -> list[float]:
    """Moves places apart, as little as possible: same order, `gap` between neighbours, all within [0, `end`].

    If there is no room for that, `gap` is kept and places may lie outside.
    """
    count = len(places)
    order = sorted(range(count), key=places.__getitem__)
    groups: list[tuple[list[int], float]] = []  # members, and the place of the first
    wanted = {i: max(min(places[i], end - gap * (count - 1 - rank)), gap * rank) for rank, i in enumerate(order)}
    for index in order:
        members, first = [index], wanted[index]
        while groups and groups[-1][1] + gap * len(groups[-1][0]) > first:
            members = groups.pop()[0] + members
            first = math.fsum(wanted[member] - gap * rank for rank, member in enumerate(members)) / len(members)
        groups.append((members, first))
    moved = list(places)
    for members, first in groups:
        for rank, member in enumerate(members):
            moved[member] = first + gap * rank
    return moved
