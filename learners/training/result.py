"""What a fit returns, and what it takes from its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from learners.delta.delta import Delta
from learners.specification.learner import Learner
from learners.training.state import FitState
from tasks.encoded import EncodedTask

Score = Callable[[np.ndarray, np.ndarray], float]  # (target [n], logits [n, C]) -> the task's metric
Report = Callable[[dict[str, object]], None]


@dataclass(frozen=True, eq=False)
class Request:
    """A fit to do. Fields are the arguments of `learners.training.fit.fit`, which describes them."""

    learner: Learner
    data: EncodedTask
    score: Score
    seed: int
    previous: Delta | None = None
    report: Report = lambda event: None
    until: int | None = None
    state: FitState | None = None


@dataclass(frozen=True)
class OutOfMemory:
    """A fit that ended because its device had no memory left for so many rows of up to `length` tokens."""

    rows: int
    length: int


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of a fit.

    Attributes:
        delta: The Delta of the best epoch.
        validation: Validation score after each epoch, in the task's metric; or of each candidate of a learner that
            reads texts, in the order of `TextModel.candidates`.
        losses: Mean training loss of each epoch.
        best: Index of the best epoch or candidate, from 0. -1 if the learner does not train.
        seconds: Duration of the fit, pauses left out.
        flops: FLOPs of all matrix products in training, forward and backward, padding included.
        examples: Number of training rows, summed over all epochs.
        state: Where the fit has paused; None (default) unless `until` was given.
    """

    delta: Delta
    validation: tuple[float, ...]
    losses: tuple[float, ...]
    best: int
    seconds: float
    flops: float
    examples: int
    state: FitState | None = None
