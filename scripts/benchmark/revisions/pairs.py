"""Measurements of two revisions, taken in turn, as a row of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmark.clock import Spent

HEAD = ("part", "case", "unit", "old", "new", "new is", "lowest to highest", "CPU old", "CPU new", "new is")
WIDEST = 24  # letters of a case in the table; a configuration of peft is longer


@dataclass(frozen=True)
class Pair:
    """Values of both revisions in one case. Values at the same place were measured one after the other.

    Attributes:
        part, case: What was measured.
        unit: Unit of the values.
        old, new: One value per repetition.
        old_cpu, new_cpu: The same in CPU seconds, in the same unit. Empty (default) if there are none.
        more: Whether more is better. Default: no, as for seconds and bytes.
    """

    part: str
    case: str
    unit: str
    old: tuple[float, ...]
    new: tuple[float, ...]
    old_cpu: tuple[float, ...] = ()
    new_cpu: tuple[float, ...] = ()
    more: bool = False

    @property
    def ratios(self) -> list[float]:
        """How many times as fast or as small the new revision is, in each repetition."""
        return _ratios(self.old, self.new, self.more)

    @property
    def cpu_ratio(self) -> float | None:
        """The median of the same in CPU seconds. None if there are none."""
        return median(_ratios(self.old_cpu, self.new_cpu, self.more)) if self.old_cpu else None


def of_seconds(part: str, case: str, old: Sequence[Spent], new: Sequence[Spent], unit: str = "s") -> Pair:
    """A pair of times.

    Args:
        unit: `s` (default) or `ms`.
    """
    scale = {"s": 1.0, "ms": 1e3}[unit]
    return _pair(part, case, unit, old, new, lambda seconds: scale * seconds)


def of_rates(part: str, case: str, old: Sequence[Spent], new: Sequence[Spent], count: int) -> Pair:
    """A pair of rates, in rows per second.

    Args:
        count: Number of rows in each time.
    """
    return _pair(part, case, "rows/s", old, new, lambda seconds: count / seconds, more=True)


def as_rows(pairs: Sequence[Pair]) -> list[list[str]]:
    """Rows of the table under `HEAD`. A part that equals the one above is left blank."""
    rows, above = [], ""
    for pair in pairs:
        cpu = ["", "", ""]
        if (ratio := pair.cpu_ratio) is not None:
            cpu = [figure(median(pair.old_cpu)), figure(median(pair.new_cpu)), f"{ratio:.2f}x"]
        lowest, highest = min(pair.ratios), max(pair.ratios)
        row = [
            "" if pair.part == above else pair.part, shortened(pair.case), pair.unit, figure(median(pair.old)),
            figure(median(pair.new)), f"{median(pair.ratios):.2f}x", f"{lowest:.2f}x to {highest:.2f}x", *cpu,
        ]  # fmt: skip
        rows.append(row)
        above = pair.part
    return rows


def as_entry(pair: Pair) -> dict[str, Any]:
    """A pair for JSON, with its ratios."""
    return {**asdict(pair), "ratio": median(pair.ratios), "ratios": pair.ratios, "cpu_ratio": pair.cpu_ratio}


def shortened(case: str) -> str:
    """A case with at most `WIDEST` letters."""
    return case if len(case) <= WIDEST else f"{case[: WIDEST - 1]}…"


def figure(value: float) -> str:
    """A value with three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _pair(
    part: str, case: str, unit: str, old: Sequence[Spent], new: Sequence[Spent], value: Callable[[float], float],
    more: bool = False,
) -> Pair:  # fmt: skip
    def wall(times: Sequence[Spent]) -> tuple[float, ...]:
        return tuple(value(spent.seconds) for spent in times)

    def cpu(times: Sequence[Spent]) -> tuple[float, ...]:
        return tuple(value(spent.cpu) for spent in times)

    return Pair(part, case, unit, wall(old), wall(new), cpu(old), cpu(new), more)


def _ratios(old: Sequence[float], new: Sequence[float], more: bool) -> list[float]:
    return [after / before if more else before / after for before, after in zip(old, new, strict=True)]
