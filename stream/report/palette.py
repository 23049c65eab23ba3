"""Colours on a page: one per learner everywhere, on light and on dark ground, and the shades of scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stream.report.console import LEARNER_COLOURS
from stream.report.terminal.growth import LETTERS
from stream.report.terminal.heatmap import SHADES

# White and light yellow are for dark ground; orange and sky blue are taken a third darker, to stand 3:1 off white.
ON_LIGHT = {"#ffffff": "#1b1b1b", "#f0e442": "#8f8600", "#e69f00": "#c17a00", "#56b4e9": "#2b93d1"}
ON_DARK = {"#0072b2": "#2f8fd8", "#56b4e9": "#8fd3ff"}  # blue is too dark for dark ground, so sky blue gives way
LIGHT = tuple(ON_LIGHT.get(colour, colour) for colour in LEARNER_COLOURS)
DARK = tuple(ON_DARK.get(colour, colour) for colour in LEARNER_COLOURS)


def sign(index: int) -> str:
    """What marks a learner beside its colour, so that nothing depends on colour: a letter; of very many, a number."""
    return LETTERS[index] if index < len(LETTERS) else str(index + 1)


def shade(score: float) -> str:
    """Viridis at a score in [0, 1]; what is below 0 is shown as 0."""
    place = min(max(score, 0.0), 1.0) * (len(SHADES) - 1)
    low = min(math.floor(place), len(SHADES) - 2)
    below, above = channels(SHADES[low]), channels(SHADES[low + 1])
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in zip(below, above, strict=True))


def ink(colour: str) -> str:
    """Black or white, whichever contrasts more with a ground of `colour` (WCAG 2.2, relative luminance)."""
    return "#000000" if luminance(colour) > 0.179 else "#ffffff"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts(colour)]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def parts(colour: str) -> Sequence[float]:
    """Red, green and blue of `#rrggbb`, each in [0, 1]."""
    return [channel / 255 for channel in channels(colour)]


def channels(colour: str) -> Sequence[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
