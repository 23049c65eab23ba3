"""Trainers: the protocol that a trainer implements, and the registry that finds it by name.

Our own loop is one trainer. A package registers another one by an entry point of the group `taskstream.trainers`, which
gives a name and the location of the object. A learner refers to its trainer by that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from learners.specification.learner import LOOP
from learners.specification.recipe import RESERVED
from tasks.errors import InputError, unknown_name

if TYPE_CHECKING:  # these import torch, which is slow
    from learners.backbones.backbone import Backbone
    from learners.delta.delta import Delta
    from learners.specification.learner import Learner
    from learners.training.result import Fit, Report, Score
    from learners.training.state import FitState
    from tasks.encoded import EncodedTask
    from tasks.task import Task

GROUP = "taskstream.trainers"
OUR_LOOP = EntryPoint(LOOP, "learners.training.loop:TRAINER", GROUP)


class Nondeterminism(Exception):
    """The same fit gave a different Delta. Either this machine computes differently each time, or there is a bug.

    This error ends the run.
    """


@dataclass(frozen=True, eq=False)
class FitRequest:
    """One task to learn, and the inputs that a trainer may use.

    Attributes:
        backbone: The backbone.
        learner: The learner.
        data: Encoded rows of the task.
        seed: Seed of the run.
        score_of: Gives the metric of a task. The best epoch is chosen by it.
        previous: Delta of the learner's last successful fit, if the learner has `needs_previous_fit`. None for the
            first task.
        history: (task name, Delta id) of earlier successful fits, in order of arrival. All of them if the trainer keeps
            state, otherwise at most the last one.
        tasks: Names of all tasks, in order of arrival, for a trainer that needs the full stream.
        load: Gives the encoded rows of a task by its name.
        report: Receives progress.
        until: Epoch after which the fit pauses (`learners.training.fit.fit`). Only the trainer `loop` can pause. None
            (default): it does not.
        state: Where the same fit has paused before; None (default): the fit begins.
    """

    backbone: Backbone
    learner: Learner
    data: EncodedTask
    seed: int
    score_of: Callable[[Task], Score]
    previous: Delta | None
    history: Sequence[tuple[str, str]]
    tasks: Iterable[str]
    load: Callable[[str], EncodedTask]
    report: Report
    until: int | None = None
    state: FitState | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of a trainer for one task.

    Attributes:
        fit: The fit. A paused one has a `fit.state`, with which `FitRequest.state` goes on.
        state: Passed to the learner's next fit in this process. Default: None, no state.
        state_bytes: Size in bytes of the state that must be stored in addition to the Delta. Default: None, for a
            trainer that keeps no state.
    """

    fit: Fit
    state: object = None
    state_bytes: int | None = None


@runtime_checkable
class Trainer(Protocol):
    """One way to train the tasks of a learner.

    Attributes:
        keeps_state: Whether the trainer keeps more than the last Delta between the tasks of a learner. If so, all fits
            of the learner run in one process if possible, each fit depends on all earlier fits, and recipes list these.
            A process without the state computes it again from the history.
    """

    keeps_state: bool

    def needs_full_stream(self, config: str) -> bool:
        """Whether this configuration learns from all tasks at the first arrival."""
        ...

    def is_joint(self, config: str) -> bool:
        """Whether this configuration is plain joint training, the upper bound that metrics compare with."""
        ...

    def check(self, learner: Learner) -> None:
        """Check, before the first fit, that the trainer can train this learner.

        Raises:
            InputError: It cannot. The message gives the reason.
        """
        ...

    def fit(self, request: FitRequest, state: object) -> Trained:
        """Learn one task.

        Args:
            request: The task and all other inputs.
            state: `Trained.state` of the learner's last fit in this process. None if there was none or it failed.

        Raises:
            Diverged: A number became NaN or infinite.
            Nondeterminism: A repeated fit gave a different Delta.
            InputError: The trainer cannot learn such a task.
        """
        ...


@cache
def trainer_named(name: str) -> Trainer:
    """Import and return the trainer with this name. Cached.

    Raises:
        InputError: No trainer or several trainers have this name, or the registered object cannot be imported or is not
            a trainer.
    """
    where = f"trainer {name}"
    registered = [OUR_LOOP] if name == LOOP else [point for point in entry_points(group=GROUP) if point.name == name]
    if not registered:
        raise unknown_name("trainer", name, (LOOP, *entry_points(group=GROUP).names), where="a learner")
    if len(registered) > 1 or name in RESERVED:
        found = " and ".join(point.value for point in registered)
        raise InputError("this name is already in use", where=where, found=found, fix="rename one of the trainers")
    try:
        trainer = registered[0].load()
    except (ImportError, AttributeError) as error:
        raise InputError("cannot be imported", where=where, found=f"{type(error).__name__}: {error}") from error
    if not isinstance(trainer, Trainer):
        expected = "an object with the members of learners.training.trainer.Trainer"
        raise InputError("not a trainer", where=where, expected=expected, found=f"{registered[0].value}: {trainer!r}")
    return trainer
