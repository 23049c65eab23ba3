"""Formats numbers: one format per quantity, and a dash for a missing value."""

from __future__ import annotations

import math

from stream.report.console import Page


def mean(values: list[float | None]) -> float | None:
    """Returns the mean of the values that are not None; None if there is none."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def points(value: float | None, page: Page, *, sign: bool = False, exact_zero: bool = False) -> str:
    """Formats a score, or a difference of scores, in points (x100, one decimal).

    Args:
        sign: Whether a positive number has a `+`.
        exact_zero: Whether an exact zero is written `0`. A number that only rounds to zero is always `0.0`.
    """
    if value is None:
        return page.missing
    if exact_zero and value == 0:
        return "0"
    written = f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"
    return "0.0" if written in ("-0.0", "+0.0") else written


def growth(value: float | None, page: Page) -> str:
    """Formats a multiple of the parameters of the backbone: 1.009x, 4.37x, 26.0x."""
    if value is None:
        return page.missing
    decimals = 3 if value < 2 else 2 if value < 10 else 1 if value < 1000 else 0
    return f"{value:.{decimals}f}{page.times}"


def share(value: float | None, page: Page) -> str:
    """Formats a fraction in percent with at least two significant digits: 100%, 3.6%, 0.035%."""
    if value is None:
        return page.missing
    percent = 100 * value
    if percent == 0 or percent >= 99.95:
        return f"{percent:.0f}%"
    decimals = 1 if percent >= 10 else min(5, 1 - math.floor(math.log10(abs(percent))))
    return f"{percent:.{decimals}f}%"


def scaled(value: float | None, page: Page, unit: str = "") -> str:
    """Formats a number with three significant digits and a decimal prefix (1k = 1000): 38.4k, 110M, 9.66MB."""
    if value is None:
        return page.missing
    size, prefix = float(value), ""
    for larger in ("k", "M", "G", "T"):
        if abs(size) < 999.5:
            break
        size, prefix = size / 1000, larger
    decimals = 0 if not prefix or abs(size) >= 99.95 else 1 if abs(size) >= 9.995 else 2
    return f"{size:.{decimals}f}{prefix}{unit}"


def duration(seconds: float | None, page: Page) -> str:
    """Formats seconds as 4.2s, 12m05s or 3h07m."""
    if seconds is None:
        return page.missing
    if seconds < 59.95:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def count(number: int, noun: str) -> str:
    """Returns a number with its noun: 1 seed, 3 seeds."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
