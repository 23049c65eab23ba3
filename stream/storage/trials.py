"""A trial of a search: one alternative of a learner, fitted on one task, and its score on the validation rows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from stream.storage.fits import Failure
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

    @property
    def reference(self) -> Tried:
        """The same values without the fields that a subclass adds."""
        return Tried(**{each.name: getattr(self, each.name) for each in fields(Tried)})


@dataclass(frozen=True, kw_only=True)
class TriedFit(Tried):
    """A finished trial with its fit and the cost of it.

    Attributes:
        recipe: Id of the recipe of the fit.
        cached: Whether the store already had the fit.
        delta: Content id of its Delta; None if the fit failed.
        validation: Validation score after each epoch.
        flops, examples, seconds: Cost of the fit since its first epoch.
        failed: Why the fit failed. Not written if it did not (None, default).
    """

    recipe: str
    cached: bool
    delta: str | None
    validation: tuple[float, ...]
    flops: float
    examples: int
    seconds: float
    failed: Failure | None = field(default=None, metadata=ABSENT)
