"""A finished fit as it is kept: what it rests on, what it gave and what it took; or why it gave nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue

from stream.storage.plain import ABSENT, plain
from tasks.content import canonical, content_id


@dataclass(frozen=True)
class History:
    """What a learner met that keeps more than its last Delta.

    Attributes:
        learned: Task, content id of its data and of its Delta, of each good fit before.
        foreseen: Task and content id of its data, of every task of the stream, where the learner trains on all at once.
    """

    learned: tuple[tuple[str, ...], ...]
    foreseen: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that the Delta of a fit depends on, for who fits and for who checks.

    Attributes:
        backbone, data: Content ids.
        learner: Its settings.
        previous: Content id of the Delta that a learner goes on from whose fits follow one another.
        numerics: All that may move the last bit of a logit (`stream.execution.workbench.numerics`).
        met: What else the learner met, where the Delta before does not say it; no part of other recipes.
        validation_examples: Where it is another limit than `test_examples`; no part of other recipes.
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

    @cached_property
    def id(self) -> str:
        return recipe_id(plain(self))


def recipe_id(recipe: Mapping[str, JsonValue]) -> str:
    """Id of the inputs of a fit, known before it runs: equal recipes need not run twice."""
    return content_id("recipe", canonical(recipe))


@dataclass(frozen=True, kw_only=True)
class LearnedTask:
    """What later jobs take of a good fit: the task, the content id of its Delta, and those of the Delta's tensors."""

    task: str
    delta: str
    digests: Mapping[str, str]

    @property
    def reference(self) -> LearnedTask:
        """This and nothing of what a subclass adds."""
        return LearnedTask(task=self.task, delta=self.delta, digests=self.digests)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a fit gave nothing, and at which step that showed."""

    type: str
    step: int
    message: str


@dataclass(frozen=True, kw_only=True)
class FailedTask:
    """What later jobs take of a fit that gave nothing.

    Attributes:
        last_good: The fit to go on from, as if this task had never come; None where none so far was good.
    """

    task: str
    failed: Failure
    last_good: LearnedTask | None


@dataclass(frozen=True, kw_only=True)
class FitResult(LearnedTask):
    """What a good fit gave and took.

    Attributes:
        parameters: Scalars that were trained, head left out.
        kept_parameters: Scalars of the Delta, zeros of pruning and head left out; `added_parameters` of these are no
            weights of the backbone, and `common_parameters` are the same for all tasks (frozen-shared).
        head_parameters: Scalars of the head.
        bytes: Of the Delta's file; `head_bytes` of the head in it.
        memory_bytes: What a strategy keeps beside its model; None of other learners.
        validation, losses: After each epoch.
        best: Index of the epoch that was kept; -1 where nothing is trained.
        examples: Rows seen, all epochs.
        peak_memory_bytes: Highest resident memory of the process meanwhile.
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
    """A fit that diverged, and what it took all the same. It is never in the store: no other run takes a failure for a
    result."""

    flops: float
    seconds: float
    peak_memory_bytes: int


def last_good(fit: LearnedTask | FailedTask) -> LearnedTask | None:
    """The fit to go on from after this one; None where none so far was good."""
    return fit.last_good if isinstance(fit, FailedTask) else fit
