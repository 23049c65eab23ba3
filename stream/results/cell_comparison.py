"""Compares the cells of R of two runs: merges their score frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.results.results import Results

if TYPE_CHECKING:
    import pandas

Logits = Mapping[tuple[str, int, str], str]  # content id by learner, arrival and task
Deltas = Mapping[tuple[str, str], str]  # content id by learner and task


@dataclass(frozen=True)
class Bitwise:
    """How many content ids both ledgers record (`told`), and how many of these are equal, bit for bit."""

    told: int
    equal: int


@dataclass(frozen=True)
class DifferingCell:
    """A cell whose scores differ in the two runs, or that only one run has.

    Attributes:
        arrival_a, arrival_b: Row of R in each run; 0 is before training.
        a, b: Scores, fractions; None if the run has no score here.
        difference: b - a; None if a score is missing.
        logits: Whether the logits are equal, bit for bit; None if one ledger does not record them.
    """

    arrival_a: int
    arrival_b: int
    task: str
    a: float | None
    b: float | None
    difference: float | None
    logits: bool | None


@dataclass(frozen=True)
class CellComparison:
    """The compared cells of one learner.

    Attributes:
        compared, equal, differ: Numbers of cells.
        largest: Largest absolute difference of two scores; None if cells differ and none of them has two scores.
        logits, deltas: How many are equal, bit for bit.
        differing: The row before training first, then in order of arrival.
    """

    compared: int
    equal: int
    differ: int
    largest: float | None
    logits: Bitwise
    deltas: Bitwise
    differing: tuple[DifferingCell, ...]


def compare_cells(
    a: Results,
    b: Results,
    learners: Sequence[str],
    tasks: Sequence[str],
    start: int,
    logits: tuple[Logits | None, Logits | None],
    deltas: tuple[Deltas | None, Deltas | None],
) -> dict[str, CellComparison]:
    """Compares the learners and tasks that both runs have.

    Three kinds of cells are compared: the row before training; all rows up to arrival `start`; and after that only the
    first score of each task, on its own arrival. For an isolated learner that score does not depend on the order.
    A cell counts if both runs have finished its arrival and at least one run has a score. A failed fit has no score.

    Args:
        learners, tasks: Names that both runs have.
        start: Both runs have the same tasks in the same order up to this arrival.
        logits, deltas: Content ids of run a and of run b; None without a ledger.

    Returns:
        One comparison per learner, by name.
    """
    pairs = _aligned(a, tasks, start).merge(
        _aligned(b, tasks, start), on=["learner", "row", "task"], how="outer", suffixes=("_a", "_b")
    )
    for letter, results in (("a", a), ("b", b)):
        place = pairs["task"].map(_places(results))
        arrival = pairs["row"].where(pairs["row"] <= start, place)
        arrivals = {name: learner.arrivals for name, learner in results.items()}
        pairs[f"arrival_{letter}"], pairs[f"to_come_{letter}"] = arrival, arrival < place
        pairs = pairs[arrival <= pairs["learner"].map(arrivals)].copy()
    # Only some settings evaluate tasks before they arrive, so a missing score there is not a difference.
    alone = pairs["score_a"].isna() | pairs["score_b"].isna()
    pairs = pairs[~(alone & (pairs["to_come_a"] | pairs["to_come_b"]))]
    pairs = pairs.iloc[pairs["task"].map({task: index for index, task in enumerate(tasks)}).argsort(kind="stable")]
    pairs = pairs.sort_values("row", kind="stable")
    both = [key for key in deltas[0] or () if key in (deltas[1] or {})]
    equal = {key for key in both if (deltas[0] or {})[key] == (deltas[1] or {})[key]}
    comparisons = {}
    for name in learners:
        keys = [key for key in both if key[0] == name]
        equal_deltas = Bitwise(len(keys), sum(key in equal for key in keys))
        comparisons[name] = _compare_learner(name, pairs[pairs["learner"] == name], logits, equal_deltas)
    return comparisons


def _places(results: Results) -> dict[str, int]:
    """The arrival of each task, from 1."""
    return {task: arrival for arrival, task in enumerate(results.order, start=1)}


def _aligned(results: Results, tasks: Sequence[str], start: int) -> pandas.DataFrame:
    """Scores that can be compared. `row` is the arrival; it is `start` + 1 for the first score of a later task."""
    frame = results.frame()[["learner", "arrival", "task", "score"]]
    learned = frame["arrival"] == frame["task"].map(_places(results))
    frame = frame[frame["task"].isin(tasks) & ((frame["arrival"] <= start) | learned)]
    return frame.assign(row=frame["arrival"].clip(upper=start + 1)).drop(columns="arrival")


def _compare_learner(
    learner: str, pairs: pandas.DataFrame, logits: tuple[Logits | None, Logits | None], deltas: Bitwise
) -> CellComparison:
    """Compares the cells of one learner."""
    same: list[bool | None] = []
    differing = []
    columns = (pairs[name] for name in ("arrival_a", "arrival_b", "task", "score_a", "score_b"))
    for i, j, task, one, two in zip(*columns, strict=True):
        ids = [(by_cell or {}).get((learner, arrival, task)) for by_cell, arrival in zip(logits, (i, j), strict=True)]
        same.append(None if None in ids else ids[0] == ids[1])
        if one != two:
            scores = (_number(one), _number(two), _number(two - one))
            differing.append(DifferingCell(int(i), int(j), task, *scores, same[-1]))
    changes = [abs(cell.difference) for cell in differing if cell.difference is not None]
    return CellComparison(
        compared=len(pairs),
        equal=len(pairs) - len(differing),
        differ=len(differing),
        largest=max(changes, default=None if differing else 0.0),
        logits=Bitwise(sum(each is not None for each in same), sum(each is True for each in same)),
        deltas=deltas,
        differing=tuple(differing),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
