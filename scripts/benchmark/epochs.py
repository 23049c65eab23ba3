"""The time of training steps, from outside: `fit` calls its score function after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmark.clock import Moment, Spent
from learners.specification.family import parse_learner
from learners.specification.learner import Learner


@dataclass(eq=False)
class EpochClock:
    """A score function for `fit` that times each epoch after the first one.

    The first epoch warms up: it compiles kernels and fills caches, and all preparations of a fit come before it. An
    epoch includes one validation. The score always rises, so that training does not stop early.

    Attributes:
        between: Called after each epoch with the number of epochs so far, outside the timed part. Default: does
            nothing.
        spent: Times of epochs 2, 3, ...
    """

    between: Callable[[int], None] = lambda done: None
    spent: list[Spent] = field(default_factory=list)
    done: int = 0
    since: Moment | None = None

    def __call__(self, target: np.ndarray, logits: np.ndarray) -> float:
        if self.since is not None:
            self.spent.append(self.since.spent())
        self.done += 1
        self.between(self.done)
        self.since = Moment()
        return float(self.done)


def learner_of(specification: str, epochs: int, batch_size: int) -> Learner:
    """A learner that trains for exactly this number of epochs."""
    overrides: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "learning_rate": None}
    learner = parse_learner(specification, overrides)
    return replace(learner, training=replace(learner.training, patience=max(1, epochs)))
