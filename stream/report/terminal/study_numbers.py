"""The numbers of a study as the report writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stream.report.console import Page
from stream.report.numbers import points

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import ComparisonEntry, NumberEntry, StudyDocument


def best_first(document: StudyDocument) -> list[str]:
    """Returns the names of the learners, best mean score first."""
    learners = document["learners"]
    return sorted(learners, key=lambda name: -mean_of(learners[name].get("average_accuracy")))


def with_half(entry: NumberEntry | ComparisonEntry | None, page: Page, *, sign: bool = False) -> str:
    """Returns a mean or a difference in points with the half width of its interval: `79.0 ±1.2`."""
    if entry is None:
        return page.missing
    value: float = entry["difference"] if "difference" in entry else entry["mean"]  # type: ignore[typeddict-item]
    mark = "+-" if page.ascii else "±"
    half = entry["half"]
    if value == 0 and not half:
        return "0"
    return points(value, page, sign=sign) + ("" if half is None else f" {mark}{100 * half:.1f}")


def aligned(cells: Sequence[str]) -> list[str]:
    """Pads cells so that their decimal points stand one below the other."""
    fronts = [cell.partition(" ")[0] for cell in cells]
    backs = [cell.partition(" ")[2] for cell in cells]
    left, right = max(map(len, fronts), default=0), max(map(len, backs), default=0)
    gap = " " if right else ""
    return [f"{front:>{left}}{gap}{back:<{right}}" for front, back in zip(fronts, backs, strict=True)]


def p_text(value: float | None, page: Page) -> str:
    """Formats a probability: `0.031`, `<0.001`."""
    return page.missing if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def mean_of(entry: NumberEntry | None) -> float:
    return float("-inf") if entry is None else entry["mean"]


def mean_or_none(entry: NumberEntry | None) -> float | None:
    return None if entry is None else entry["mean"]
