"""A finished fit as the store and the ledger keep it: its recipe (the inputs), and its result or its failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue

from stream.storage.plain import ABSENT, plain
from tasks.content import canonical, content_id


@dataclass(frozen=True)
class History:
    """The tasks behind the state of a trainer. Part of a recipe if the trainer keeps more than the last Delta.

    Attributes:
        learned: For each earlier fit that succeeded: task, content id of its data, what scores it, content id of its
            Delta. Runs before TRAINING_FORMAT 6 did not write what scores it.
        foreseen: For each task of the stream: task, content id of its data, what scores it (likewise). Empty unless
            the learner trains on all tasks at once.
    """

    learned: tuple[tuple[str, ...], ...]
    foreseen: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All inputs of a fit. The Delta of the fit depends on nothing else.

    Attributes:
        backbone, data: Content ids of the backbone and of the task's data.
        learner: Settings of the learner.
        task: Name of the task.
        seed: Seed of the run.
        train_examples, test_examples: Most examples used of these splits; None is all.
        previous: Content id of the Delta from which the fit starts; None if it does not start from an earlier fit.
        numerics: Everything that may change the last bit of a logit (`stream.execution.numerics`).
        met: Earlier tasks behind the state of the trainer. Not written if the trainer keeps no state (None, default).
        validation_examples: Most examples used of the validation split. Not written if it equals `test_examples`
            (None, default).
        data_seed: Seed that draws the examples of a split with a limit. None (default): `seed` draws them; not written.
        scoring: What computes the validation scores, which choose the best epoch (`tasks.metrics.scoring`). None
            (default) before TRAINING_FORMAT 6; not written.
        until: Epochs after which the fit pauses. Not written if it runs all its epochs (None, default).
    """

    backbone: str
    data: str
    learner: Mapping[str, JsonValue]
    task: str
    seed: int
    train_examples: int | None
    test_examples: int | None
    previous: str | None
    numerics: Mapping[str, JsonValue]
    met: History | None = field(default=None, metadata=ABSENT)
    validation_examples: int | None = field(default=None, metadata=ABSENT)
    data_seed: int | None = field(default=None, metadata=ABSENT)
    scoring: str | None = field(default=None, metadata=ABSENT)
    until: int | None = field(default=None, metadata=ABSENT)

    @cached_property
    def id(self) -> str:
        return recipe_id(plain(self))


def recipe_id(recipe: Mapping[str, JsonValue]) -> str:
    """Returns the id of the inputs of a fit. It is known before the fit runs, so equal recipes run only once."""
    return content_id("recipe", canonical(recipe))


@dataclass(frozen=True, kw_only=True)
class LearnedTask:
    """The part of a successful fit that later jobs need.

    Attributes:
        task: Name of the task.
        delta: Content id of the Delta.
        digests: Content id of each tensor of the Delta, by name.
        chosen: Specification of the alternative that made the Delta. Not written for a learner without alternatives
            (None, default).
    """

    task: str
    delta: str
    digests: Mapping[str, str]
    chosen: str | None = field(default=None, metadata=ABSENT)

    @property
    def reference(self) -> LearnedTask:
        """The same values without the fields that a subclass adds."""
        return LearnedTask(task=self.task, delta=self.delta, digests=self.digests, chosen=self.chosen)


DIVERGED, WORKER_DIED, OUT_OF_MEMORY = "Diverged", "WorkerDied", "OutOfMemory"  # types of a failure
PASSING = frozenset({WORKER_DIED, OUT_OF_MEMORY})  # those that a later call may not meet


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a fit failed: type of the failure, training step at which it was noticed (0 if not known), message."""

    type: str
    step: int
    message: str


@dataclass(frozen=True, kw_only=True)
class FailedTask:
    """The part of a failed fit that later jobs need.

    Attributes:
        task: Name of the task.
        failed: Why the fit failed.
        last_good: The last earlier fit that succeeded; the next fit starts from it. None if there is none.
    """

    task: str
    failed: Failure
    last_good: LearnedTask | None


@dataclass(frozen=True, kw_only=True)
class FitResult(LearnedTask):
    """The result and the cost of a successful fit.

    Attributes:
        parameters: Number of trained scalars, without the head.
        kept_parameters: Number of scalars of the Delta, without the head and without zeros of pruning. Of these,
            `added_parameters` are not weights of the backbone, and `common_parameters` are the same for all tasks
            (frozen-shared).
        head_parameters: Number of scalars of the head.
        bytes: Size of the Delta's file; `head_bytes` is the head's part of it.
        memory_bytes: Bytes that a strategy keeps next to its model. Not written for other learners (None, default).
        validation, losses: Validation score and training loss after each epoch.
        best: Index of the epoch whose weights were kept, from 0; -1 if nothing is trained.
        flops: Floating-point operations of the fit.
        examples: Number of rows seen in all epochs.
        seconds: Time that the fit took.
        peak_memory_bytes: Highest resident memory of the process during the fit.
    """

    parameters: int
    kept_parameters: int
    added_parameters: int
    head_parameters: int
    common_parameters: int = 0
    bytes: int
    head_bytes: int
    memory_bytes: int | None = field(default=None, metadata=ABSENT)
    validation: tuple[float, ...]
    losses: tuple[float, ...]
    best: int
    flops: float
    examples: int
    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class FailedFit(FailedTask):
    """A fit that diverged, that found no memory or whose workers ended, with its cost. The store never holds one, so no
    other run reuses a failure."""

    flops: float
    seconds: float
    peak_memory_bytes: int


def last_good(fit: LearnedTask | FailedTask) -> LearnedTask | None:
    """Returns the last successful fit up to this one; the next fit starts from it. None if there is none."""
    return fit.last_good if isinstance(fit, FailedTask) else fit
