"""Compares the cells of R of two runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import gt, lt

import numpy as np

from stream.results.results import Results

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
    both = [key for key in deltas[0] or () if key in (deltas[1] or {})]
    equal = {key for key in both if (deltas[0] or {})[key] == (deltas[1] or {})[key]}
    comparisons = {}
    for name in learners:
        keys = [key for key in both if key[0] == name]
        equal_deltas = Bitwise(len(keys), sum(key in equal for key in keys))
        comparisons[name] = _compare_learner(name, _pairs(a, b, name, tasks, start), logits, equal_deltas)
    return comparisons


@dataclass(frozen=True)
class _Pair:
    """A cell in both runs: its arrival and its score in each; nan if a run has none."""

    task: str
    arrivals: tuple[int, int]
    scores: tuple[float, float]


def _pairs(a: Results, b: Results, learner: str, tasks: Sequence[str], start: int) -> list[_Pair]:
    """The cells of one learner that are compared, by row, then by task."""
    scores = [_scores(results, learner, tasks, start) for results in (a, b)]
    places = [{task: at for at, task in enumerate(results.order, start=1)} for results in (a, b)]
    finished = a[learner].arrivals, b[learner].arrivals
    rank = {task: index for index, task in enumerate(tasks)}
    pairs = []
    for row, task in sorted(scores[0].keys() | scores[1].keys(), key=lambda key: (key[0], rank[key[1]])):
        learned = places[0][task], places[1][task]
        arrivals = (row, row) if row <= start else learned
        found = scores[0].get((row, task), math.nan), scores[1].get((row, task), math.nan)
        if any(map(gt, arrivals, finished)):
            continue
        # Only some settings evaluate tasks before they arrive, so a missing score there is not a difference.
        if any(map(math.isnan, found)) and any(map(lt, arrivals, learned)):
            continue
        pairs.append(_Pair(task, arrivals, found))
    return pairs


def _scores(results: Results, learner: str, tasks: Sequence[str], start: int) -> dict[tuple[int, str], float]:
    """Scores that can be compared, by row and task. The row is the arrival; it is `start` + 1 for the first score of a
    later task."""
    matrix, order, wanted = results[learner].matrix, results.order, set(tasks)
    return {
        (min(arrival, start + 1), task): float(matrix[arrival, place])
        for arrival, place in np.argwhere(~np.isnan(matrix)).tolist()
        if (task := order[place]) in wanted and (arrival <= start or arrival == place + 1)
    }


def _compare_learner(
    learner: str, pairs: Sequence[_Pair], logits: tuple[Logits | None, Logits | None], deltas: Bitwise
) -> CellComparison:
    """Compares the cells of one learner."""
    same: list[bool | None] = []
    differing = []
    for pair in pairs:
        ids = [(of or {}).get((learner, at, pair.task)) for of, at in zip(logits, pair.arrivals, strict=True)]
        same.append(None if None in ids else ids[0] == ids[1])
        one, two = pair.scores
        if one != two:
            scores = (_number(one), _number(two), _number(two - one))
            differing.append(DifferingCell(*pair.arrivals, pair.task, *scores, same[-1]))
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
    return None if math.isnan(value) else value
