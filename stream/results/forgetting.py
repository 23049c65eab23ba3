"""Forgetting as Chaudhry et al. 2018 (RWalk) define it, brought up to date by each row of R: the one implementation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Forgetting:
    """Best score before the last row, and last score, of each of T tasks.

    Attributes:
        best: Highest score of each task in its rows before the last one that it has a score in, [T]; NaN where none.
        last: Last score of each task, [T]; NaN where none.
        missing: Tasks that the last row should have a score of and has not, [T].
    """

    def __init__(self, tasks: int) -> None:
        self.best, self.last = np.full(tasks, np.nan), np.full(tasks, np.nan)
        self.missing = np.zeros(tasks, dtype=np.bool_)

    def add(self, columns: npt.NDArray[np.intp], scores: Array) -> None:
        """Take in the next row.

        Args:
            columns: Tasks that it was evaluated on, of those that have arrived, [n].
            scores: Their scores, [n]; NaN where there is none.
        """
        self.missing[:] = False
        self.missing[columns] = np.isnan(scores)
        known = columns[~np.isnan(scores)]
        self.best[known] = np.fmax(self.best[known], self.last[known])
        self.last[known] = scores[~np.isnan(scores)]

    @property
    def per_task(self) -> Array:
        """Best score before the last row, minus the last one, [T]; NaN where a task has no score in an earlier row, or
        none in the last."""
        return np.where(self.missing, np.nan, self.best - self.last)


class RunningScores:
    """Average accuracy and forgetting of a learner while its run goes on; rows are taken in order of arrival.

    A row may hold some of the tasks only: the others are as they were. A row in which the task that arrived has no
    score, as its fit failed, is left out, and so is that task from then on (see `stream.results.metrics`).

    Args:
        place: Arrival of each task of the stream, from 1.
    """

    def __init__(self, place: Mapping[str, int]) -> None:
        self.place = place
        self.rows = 0
        self.counted = np.zeros(len(place), dtype=np.bool_)
        self._scores = Forgetting(len(place))

    def add(self, scores: Mapping[str, float | None]) -> bool:
        """Take in the next row; returns whether it counts."""
        self.rows += 1
        arrived = {task: score for task, score in scores.items() if self.place[task] == self.rows}
        if all(score is None for score in arrived.values()):
            return False
        self.counted[self.rows - 1] = True
        row = [
            (self.place[task] - 1, math.nan if score is None else score)
            for task, score in scores.items()
            if self.counted[self.place[task] - 1]
        ]
        self._scores.add(np.array([column for column, _ in row], dtype=np.intp), np.array([score for _, score in row]))
        return True

    @property
    def whole(self) -> bool:
        """Whether every task that counts had a score when it was last evaluated."""
        return not self._scores.missing.any()

    @property
    def average(self) -> float | None:
        """The metric average_accuracy of the rows so far; None where it is not defined."""
        last = self._scores.last[self.counted]
        return math.fsum(last) / len(last) if len(last) and self.whole else None

    @property
    def forgetting(self) -> float | None:
        """The metric forgetting_chaudhry of the rows so far, bit for bit; None where it is not defined."""
        lost = self._scores.per_task[self.counted]
        # A task that was evaluated once is as it was then.
        return math.fsum(lost[~np.isnan(lost)]) / (len(lost) - 1) if len(lost) > 1 and self.whole else None
