"""What was measured: figures of one contender in one case, set against ours, as a row of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmark.contenders import OURS

HEAD = ("part", "case", "contender", "median", "ours is", "of limit", "min to max", "")


@dataclass(frozen=True)
class Measurement:
    """One contender's figures.

    Attributes:
        values: Of each repetition, in `unit`.
        more: Whether more is better; of seconds and bytes less is.
        share: Of the machine's best matrix products in this dtype, by the median; None where nobody counts.
        note: What must be said beside the figure, as "extrapolated from 1".
    """

    part: str
    case: str
    contender: str
    unit: str
    values: tuple[float, ...]
    more: bool = False
    share: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


def reference(measured: Measurement, all_of_them: Sequence[Measurement]) -> Measurement | None:
    """Ours in the same case and unit, the first of them; None where there is none."""
    same = (measured.part, measured.case, measured.unit)
    ours = (m for m in all_of_them if m.contender.startswith(OURS) and (m.part, m.case, m.unit) == same)
    return next(ours, None)


def advantage(measured: Measurement, ours: Measurement) -> float:
    """How many times as fast, or as small, ours is."""
    quotient = ours.median / measured.median
    return quotient if measured.more else 1 / quotient


def as_rows(all_of_them: Sequence[Measurement]) -> list[list[str]]:
    """The table under `HEAD`; part and case are told once."""
    rows, last = [], ["", ""]
    for row in (_row(measured, all_of_them) for measured in all_of_them):
        told, last = last, row[:2]
        rows.append(["" if row[0] == told[0] else row[0], "" if row[:2] == told else row[1], *row[2:]])
    return rows


def _row(measured: Measurement, all_of_them: Sequence[Measurement]) -> list[str]:
    ours = reference(measured, all_of_them)
    spread = f"{_figure(min(measured.values))} to {_figure(max(measured.values))}" if len(measured.values) > 1 else ""
    times = "" if ours is None or ours is measured else f"{advantage(measured, ours):.3g}×"
    share = "" if measured.share is None else f"{100 * measured.share:.1f} %"
    figure = f"{_figure(measured.median)} {measured.unit}"
    return [measured.part, measured.case, measured.contender, figure, times, share, spread, measured.note]


def as_entry(measured: Measurement, all_of_them: Sequence[Measurement]) -> dict[str, Any]:
    """As JSON says it."""
    ours = reference(measured, all_of_them)
    times = None if ours is None else advantage(measured, ours)
    return {**asdict(measured), "median": measured.median, "ours_is_times_better": times}


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
