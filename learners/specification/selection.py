"""Selection per task: a learner with alternatives, of which each task keeps the one that is best on its validation rows.

`adapter:8/64/256:learning_rate=3e-4/3e-3` has six alternatives: each is an ordinary learner, which `Alternative` holds.
Houlsby et al. (2019, section 3.2) choose the size of adapters, the learning rate and the number of epochs this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `Learner` has a field of type `Selection`
    from learners.specification.learner import Learner

MOST = 1_000  # alternatives of a learner: more are a mistake in a specification


@dataclass(frozen=True)
class Alternative:
    """One of the learners that a task may keep.

    Attributes:
        specification: Text that names it without alternatives, such as "adapter:64:learning_rate=3e-4".
        learner: The learner.
        point: Place on each axis, from 0. An axis is a list of values separated by "/" in the specification.
    """

    specification: str
    learner: Learner
    point: tuple[int, ...] = ()


@dataclass(frozen=True)
class Selection:
    """How a learner with alternatives chooses one for each task. It reads training and validation rows only.

    Attributes:
        alternatives: The alternatives, in the order of the specification, at least one.
        method: `grid` fits all alternatives. `random:N` fits N of them, drawn by seed. `halving` (successive halving,
            Jamieson and Talwalkar 2016) fits all for a share of their epochs and goes on with the best third.
            `optuna:N` makes N trials that a sampler of Optuna proposes.
        scope: `task` chooses for each task by itself. `first:K` chooses by the mean over the first K tasks and keeps
            that for all later tasks; the k-th of the first K tasks is chosen by the mean over tasks 1 to k. `twin`
            chooses on the simulated twin of each task, and fits the task itself only with the winner.
        restarts: Number of further fits of the winner with other seeds; the best of all on validation is kept
            (Houlsby et al. 2019, section 3.2: five).
    """

    alternatives: tuple[Alternative, ...]
    method: str = "grid"
    scope: str = "task"
    restarts: int = 0

    def __getitem__(self, specification: str) -> Alternative:
        """Returns the alternative with this specification.

        Raises:
            KeyError: There is none.
        """
        for each in self.alternatives:
            if each.specification == specification:
                return each
        raise KeyError(specification)


def argument(text: str) -> int:
    """Returns the number in "random:N", "optuna:N" or "first:K"; 0 if the text has none."""
    return int(text.partition(":")[2] or 0)
