"""A trial of a search: one alternative of a learner, fitted on one task, and its score on the validation rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from stream.storage.plain import ABSENT


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial fits.

    Attributes:
        candidate: Specification of the alternative.
        until: Epochs after which the fit pauses; its schedule is that of all its epochs. None (default): it does not.
        seed: Seed of the fit. None (default): the seed of the run.
    """

    candidate: str
    until: int | None = field(default=None, metadata=ABSENT)
    seed: int | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True, kw_only=True)
class Tried(Trial):
    """A finished trial: the part that later jobs need.

    Attributes:
        task: Name of the task that was fitted.
        trial: Number of the trial, from 0.
        score: Best validation score over the epochs so far; None if the fit failed.
        parameters: Parameters that its Delta keeps, without the head. Of equal scores the smaller one wins.
    """

    task: str
    trial: int
    score: float | None
    parameters: int
