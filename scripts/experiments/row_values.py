"""What each test row adds to a score, so that a difference on one task can be judged over other rows and other seeds.

Seeds of a study share their test rows, so the spread over seeds says nothing of other rows of the task. The answers of
a finished run are computed again from its Deltas. Each row then has a value whose mean is the score: for accuracy 1 if
the answer is right and 0 if not, for the other metrics the jackknife's pseudo-value (Efron 1982, chapter 2). Values are
stored in STUDY/rows under the id of the logits, so that a second look takes no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from finished import Opened, open_run

from stream import Study
from stream.execution.evaluate_job import scorer
from stream.study.scores import Arm, Array
from tasks import Task


def row_values(task: Task, target: np.ndarray, logits: np.ndarray) -> Array:
    """The value of each row, [n]; their mean is the score in the task's metric.

    Args:
        target: Class indices [n], or real numbers [n] of a regression.
        logits: [n, C]; [n, 1] of a regression.
    """
    if task.metric == "accuracy":
        right: Array = (logits.argmax(axis=1) == target).astype(np.float64)
        return right
    score, n = scorer(task), len(target)
    whole = score(target, logits)
    rest = np.array([score(np.delete(target, row), np.delete(logits, row, axis=0)) for row in range(n)])
    values = n * whole - (n - 1) * rest
    centred: Array = values + (
        whole - values.mean()
    )  # the jackknife's mean also corrects a bias, which a score does not
    return centred


@dataclass
class RowReader:
    """Reads the values of test rows from the finished runs of a study.

    Attributes:
        study: The study.
        opened: Runs that are open, by folder.
    """

    study: Study
    opened: dict[Path, Opened] = field(default_factory=dict)

    def __call__(self, arm: Arm, task: str) -> Array | None:
        """Values of the test rows of a task with each seed of a learner, [S, n], fractions.

        None if the learner has no Delta per task: then nothing keeps what it answered.
        """
        if arm.results[0].sharing == "sequential":
            return None
        firsts = {member.seed: member for member in reversed(arm.members)}  # all orders of a seed have the same Delta
        return np.stack([self._read(Path(self.study.folder) / firsts[s].folder, arm.name, task) for s in arm.seeds])

    def _read(self, folder: Path, learner: str, task: str) -> Array:
        if folder not in self.opened:
            self.opened[folder] = open_run(folder)
        run = self.opened[folder]
        path = Path(self.study.folder) / "rows" / f"{run.logits[learner, task].replace(':', '-')}.npy"
        if not path.is_file():
            finished = run.learner(learner)
            _, logits = finished.score(task, finished.delta(task))
            data = finished.bench.data(task)
            path.parent.mkdir(exist_ok=True)
            np.save(path, row_values(data.task, np.asarray(data.test.target), logits))
        values: Array = np.load(path)
        return values
