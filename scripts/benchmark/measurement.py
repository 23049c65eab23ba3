"""Measurements: values of one contender in one case, compared with ours, as a row of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmark.contenders import OURS

HEAD = ("part", "case", "contender", "median", "ours is", "of limit", "min to max", "")


@dataclass(frozen=True)
class Measurement:
    """Values of one contender in one case.

    Attributes:
        part: Letter of the part, or `limit`.
        values: One value per repetition, in `unit`.
        more: Whether more is better. Default: no, as for seconds and bytes.
        share: Share of the machine's best matrix products in this dtype, for the median; None if it is not counted.
        note: Remark for the table, such as "extrapolated from 1". Default: none.
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
    """Our first measurement in the same case and unit; None if there is none."""
    same = (measured.part, measured.case, measured.unit)
    ours = (m for m in all_of_them if m.contender.startswith(OURS) and (m.part, m.case, m.unit) == same)
    return next(ours, None)


def advantage(measured: Measurement, ours: Measurement) -> float:
    """How many times as fast or as small ours is."""
    quotient = ours.median / measured.median
    return quotient if measured.more else 1 / quotient


def as_rows(all_of_them: Sequence[Measurement]) -> list[list[str]]:
    """Rows of the table under `HEAD`. A part or case that equals the one above is left blank."""
    rows, above = [], ["", ""]
    for row in (_row(measured, all_of_them) for measured in all_of_them):
        before, above = above, row[:2]
        rows.append(["" if row[0] == before[0] else row[0], "" if row[:2] == before else row[1], *row[2:]])
    return rows


def _row(measured: Measurement, all_of_them: Sequence[Measurement]) -> list[str]:
    ours = reference(measured, all_of_them)
    spread = f"{_figure(min(measured.values))} to {_figure(max(measured.values))}" if len(measured.values) > 1 else ""
    times = "" if ours is None or ours is measured else f"{advantage(measured, ours):.3g}×"
    share = "" if measured.share is None else f"{100 * measured.share:.1f} %"
    figure = f"{_figure(measured.median)} {measured.unit}"
    return [measured.part, measured.case, measured.contender, figure, times, share, spread, measured.note]


def as_entry(measured: Measurement, all_of_them: Sequence[Measurement]) -> dict[str, Any]:
    """A measurement for JSON."""
    ours = reference(measured, all_of_them)
    times = None if ours is None else advantage(measured, ours)
    return {**asdict(measured), "median": measured.median, "ours_is_times_better": times}


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
