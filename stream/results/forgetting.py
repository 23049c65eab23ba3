"""Forgetting as Chaudhry et al. 2018 (RWalk) define it, updated row by row. All other code uses this one version."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Forgetting:
    """The last score of each of T tasks, and its best earlier score.

    Attributes:
        best: Highest score of each task in all rows before its last score, [T]; NaN if there is none.
        last: Last score of each task, [T]; NaN if there is none.
        missing: Whether the last row evaluated the task and has no score for it, [T], bool.
    """

    def __init__(self, tasks: int) -> None:
        self.best, self.last = np.full(tasks, np.nan), np.full(tasks, np.nan)
        self.missing = np.zeros(tasks, dtype=np.bool_)

    def add(self, columns: npt.NDArray[np.intp], scores: Array) -> None:
        """Adds the next row.

        Args:
            columns: Indices of the arrived tasks that the row evaluates, [n].
            scores: Their scores, [n]; NaN if a task has none.
        """
        self.missing[:] = False
        self.missing[columns] = np.isnan(scores)
        known = columns[~np.isnan(scores)]
        self.best[known] = np.fmax(self.best[known], self.last[known])
        self.last[known] = scores[~np.isnan(scores)]

    @property
    def per_task(self) -> Array:
        """Best earlier score minus last score, [T]. NaN for a task without an earlier score, and for a task that has
        no score in the last row although the row evaluates it."""
        return np.where(self.missing, np.nan, self.best - self.last)


class RunningScores:
    """Average accuracy and forgetting of one learner while it runs. Rows must be added in order of arrival.

    A row may evaluate only some tasks; the other tasks keep their last score. If the newly arrived task has no score
    because its fit failed, its row is left out, and so is that task from then on (see `stream.results.metrics`).

    Args:
        place: Arrival of each task of the stream, from 1.
    """

    def __init__(self, place: Mapping[str, int]) -> None:
        self.place = place
        self.rows = 0
        self.counted = np.zeros(len(place), dtype=np.bool_)
        self._scores = Forgetting(len(place))

    def add(self, scores: Mapping[str, float | None]) -> bool:
        """Adds the next row. Returns whether it counts."""
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
        """Whether the last evaluation of every counted task gave a score."""
        return not self._scores.missing.any()

    @property
    def average(self) -> float | None:
        """The metric average_accuracy of the rows so far; None if it is not defined."""
        last = self._scores.last[self.counted]
        return math.fsum(last) / len(last) if len(last) and self.whole else None

    @property
    def forgetting(self) -> float | None:
        """The metric forgetting_chaudhry of the rows so far, bit for bit; None if it is not defined."""
        lost = self._scores.per_task[self.counted]
        # A task with a single score has forgotten nothing: it counts as 0.
        return math.fsum(lost[~np.isnan(lost)]) / (len(lost) - 1) if len(lost) > 1 and self.whole else None
