"""Cells of R of two runs, set side by side: two frames of scores, merged."""

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
    """Of how many both ledgers tell the content, and how many are equal, bit for bit."""

    told: int
    equal: int


@dataclass(frozen=True)
class DifferingCell:
    """A cell with two scores, or with one where the other run has none.

    Attributes:
        arrival_a, arrival_b: Row of R in each run; 0 is before training.
        difference: b - a.
        logits: Whether the logits are equal, bit for bit; None where a ledger does not tell.
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
    """Cells of one learner.

    Attributes:
        largest: Largest difference of two scores; None where cells differ but none has two scores.
        differing: Rows before training first, then in order of arrival.
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
    """Compare the learners and tasks that both runs have.

    Rows before training are compared, and those after the first `start` arrivals, which are the same in both; from
    there on, each task on the day it was learned, which for an isolated learner does not depend on the order. A cell
    counts if both runs came so far and one at least has a score; a failed fit leaves none.
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
    # A task still to come is evaluated in some runs only, by choice.
    alone = pairs["score_a"].isna() | pairs["score_b"].isna()
    pairs = pairs[~(alone & (pairs["to_come_a"] | pairs["to_come_b"]))]
    pairs = pairs.iloc[pairs["task"].map({task: index for index, task in enumerate(tasks)}).argsort(kind="stable")]
    pairs = pairs.sort_values("row", kind="stable")
    both = [key for key in deltas[0] or () if key in (deltas[1] or {})]
    equal = {key for key in both if (deltas[0] or {})[key] == (deltas[1] or {})[key]}
    found = {}
    for name in learners:
        own = [key for key in both if key[0] == name]
        content = Bitwise(len(own), sum(key in equal for key in own))
        found[name] = _summed(name, pairs[pairs["learner"] == name], logits, content)
    return found


def _places(results: Results) -> dict[str, int]:
    """Arrival of each task, from 1."""
    return {task: arrival for arrival, task in enumerate(results.order, start=1)}


def _aligned(results: Results, tasks: Sequence[str], start: int) -> pandas.DataFrame:
    """Scores that may be compared; `row` is the arrival, and `start` + 1 for the day a later task was learned."""
    frame = results.frame()[["learner", "arrival", "task", "score"]]
    learned = frame["arrival"] == frame["task"].map(_places(results))
    frame = frame[frame["task"].isin(tasks) & ((frame["arrival"] <= start) | learned)]
    return frame.assign(row=frame["arrival"].clip(upper=start + 1)).drop(columns="arrival")


def _summed(
    learner: str, pairs: pandas.DataFrame, logits: tuple[Logits | None, Logits | None], deltas: Bitwise
) -> CellComparison:
    """The comparison of one learner's cells."""
    same: list[bool | None] = []
    differing = []
    columns = (pairs[name] for name in ("arrival_a", "arrival_b", "task", "score_a", "score_b"))
    for i, j, task, one, two in zip(*columns, strict=True):
        ids = [(known or {}).get((learner, arrival, task)) for known, arrival in zip(logits, (i, j), strict=True)]
        same.append(None if None in ids else ids[0] == ids[1])
        if one != two:
            scores = (_known(one), _known(two), _known(two - one))
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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
