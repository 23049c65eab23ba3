"""Colours of the page and the plots: one colour per learner, for light and dark backgrounds, and one per score."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stream.report.console import LEARNER_COLOURS
from stream.report.terminal.growth import LETTERS
from stream.report.terminal.heatmap import SHADES

# White and light yellow need a dark background. Orange and sky blue are a third darker here, for a contrast of 3:1 on
# white.
ON_LIGHT = {"#ffffff": "#1b1b1b", "#f0e442": "#8f8600", "#e69f00": "#c17a00", "#56b4e9": "#2b93d1"}
ON_DARK = {
    "#0072b2": "#2f8fd8",
    "#56b4e9": "#8fd3ff",
}  # both are lighter, so that they can be told apart
LIGHT = tuple(ON_LIGHT.get(colour, colour) for colour in LEARNER_COLOURS)
DARK = tuple(ON_DARK.get(colour, colour) for colour in LEARNER_COLOURS)


def sign(index: int) -> str:
    """Returns the sign of a learner, so that no reader depends on colour: a letter, or a number after 52 learners."""
    return LETTERS[index] if index < len(LETTERS) else str(index + 1)


def shade(score: float) -> str:
    """Returns the colour of a score (a fraction) in the viridis scale. Scores outside [0, 1] get its ends."""
    place = min(max(score, 0.0), 1.0) * (len(SHADES) - 1)
    low = min(math.floor(place), len(SHADES) - 2)
    below, above = channels(SHADES[low]), channels(SHADES[low + 1])
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in zip(below, above, strict=True))


def ink(colour: str) -> str:
    """Returns black or white: the one with more contrast on a background of `colour` (WCAG 2.2, relative luminance)."""
    return "#000000" if luminance(colour) > 0.179 else "#ffffff"


def contrast(one: str, other: str) -> float:
    """Returns the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Returns the relative luminance of `#rrggbb`, in [0, 1] (WCAG 2.2)."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in parts(colour)]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def parts(colour: str) -> Sequence[float]:
    """Returns red, green and blue of `#rrggbb`, each in [0, 1]."""
    return [channel / 255 for channel in channels(colour)]


def channels(colour: str) -> Sequence[int]:
    """Returns red, green and blue of `#rrggbb`, each in 0 .. 255."""
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
