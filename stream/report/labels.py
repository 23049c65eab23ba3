"""Places the labels of points in a chart, so that no label covers another label or a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REACH = 12  # distances that are tried, each `STEP` longer than the one before
STEP = 5.0


@dataclass(frozen=True)
class Box:
    """A rectangle around its centre (x, y); all lengths have one unit, such as pixels."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        near = abs(self.x - other.x) * 2 < self.width + other.width
        return near and abs(self.y - other.y) * 2 < self.height + other.height


def place(points: Sequence[Box], sizes: Sequence[tuple[float, float]], frame: Box) -> list[Box]:
    """Returns the place of each label: the nearest to its point where it is free, and within `frame`.

    If no place is free, the label is where it covers the fewest others.

    Args:
        points: The points, with their whiskers.
        sizes: Width and height of each label.
    """
    taken: list[Box] = []
    for point, (width, height) in zip(points, sizes, strict=True):
        ways = sorted(
            (
                (side * (point.width / 2 + 3 + width / 2 + STEP * out), STEP * up)
                if side
                else (STEP * out, (point.height / 2 + 4 + height / 2) * (1 if up >= 0 else -1) + STEP * up)
                for side in (1, -1, 0)
                for out in range(REACH)
                for up in range(-REACH, REACH + 1)
            ),
            # From the point to the nearest place of the label.
            key=lambda way: max(abs(way[0]) - width / 2, 0) ** 2 + max(abs(way[1]) - height / 2, 0) ** 2,
        )
        boxes = [Box(point.x + dx, point.y + dy, width, height) for dx, dy in ways]
        inside = [box for box in boxes if _within(box, frame)] or boxes[:1]
        best = min(inside, key=lambda box: sum(map(box.meets, taken)) + sum(map(box.meets, points)))
        taken.append(best)
    return taken


def _within(box: Box, frame: Box) -> bool:
    wide = abs(box.x - frame.x) * 2 <= frame.width - box.width
    return wide and abs(box.y - frame.y) * 2 <= frame.height - box.height
