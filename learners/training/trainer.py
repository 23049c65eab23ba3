"""What trains the tasks of a learner: our own loop, or another trainer that registers itself.

A package registers a trainer by an entry point of the group `taskstream.trainers`: its name, and where the object is.
A learner names its trainer by that name.
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

if TYPE_CHECKING:  # of a module that is imported when something is trained
    from learners.backbones.backbone import Backbone
    from learners.delta.delta import Delta
    from learners.specification.learner import Learner
    from learners.training.fit import Fit, Report, Score
    from tasks.encoded import EncodedTask
    from tasks.task import Task

GROUP = "taskstream.trainers"
OUR_LOOP = EntryPoint(LOOP, "learners.training.loop:TRAINER", GROUP)


class Nondeterminism(Exception):
    """The same fit gave another Delta: this machine's arithmetic is not repeatable, or a defect; the end of the run."""


@dataclass(frozen=True, eq=False)
class FitRequest:
    """One task to learn, and all that a trainer may learn it from.

    Attributes:
        data: Rows of the task.
        seed: Of the run.
        score_of: The metric of a task, by which the best epoch is chosen.
        previous: The Delta of the last good fit before, of a learner with `needs_previous_fit`; None of the first.
        history: Name of the task and id of the Delta of each good fit before, in order of arrival; all of them if the
            trainer keeps state, else the last at most.
        tasks: Names of all tasks, in order of arrival; for a trainer that needs the full stream.
        load: Rows of a task by its name.
        report: Takes progress.
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


@dataclass(frozen=True, eq=False)
class Trained:
    """What a trainer gives back.

    Attributes:
        state: Handed to the learner's next fit in this process; None if nothing is kept.
        state_bytes: Size of what must be kept beside the Delta; None of a trainer that keeps no state.
    """

    fit: Fit
    state: object = None
    state_bytes: int | None = None


@runtime_checkable
class Trainer(Protocol):
    """One way to train the tasks of a learner.

    Attributes:
        keeps_state: Whether it keeps more between the tasks of a learner than the last Delta. Then all fits of the
            learner run in one process as far as possible, each needs all fits before it, and recipes say what those
            were. A process without the state makes it again from the history.
    """

    keeps_state: bool

    def needs_full_stream(self, config: str) -> bool:
        """Whether, so configured, it learns from all tasks at the first arrival."""
        ...

    def is_joint(self, config: str) -> bool:
        """Whether, so configured, it is plain joint training: the upper bound that metrics compare with."""
        ...

    def check(self, learner: Learner) -> None:
        """See, before the first fit, that it can train this learner.

        Raises:
            InputError: It cannot; says why.
        """
        ...

    def fit(self, request: FitRequest, state: object) -> Trained:
        """Learn one task.

        Args:
            state: What the learner's last fit in this process gave back; None if there was none, or it failed.

        Raises:
            Diverged: A number became NaN or infinite.
            Nondeterminism: A fit that was done again gave another Delta.
            InputError: It cannot learn such a task.
        """
        ...


@cache
def trainer_named(name: str) -> Trainer:
    """The trainer of a name, imported now.

    Raises:
        InputError: No trainer, or several, of this name; or what is registered cannot be imported, or is no trainer.
    """
    where = f"trainer {name}"
    registered = [OUR_LOOP] if name == LOOP else [point for point in entry_points(group=GROUP) if point.name == name]
    if not registered:
        raise unknown_name("trainer", name, (LOOP, *entry_points(group=GROUP).names), where="a learner")
    if len(registered) > 1 or name in RESERVED:
        found = " and ".join(point.value for point in registered)
        raise InputError("this name is taken", where=where, found=found, fix="register one trainer under another name")
    try:
        trainer = registered[0].load()
    except (ImportError, AttributeError) as error:
        raise InputError("cannot be imported", where=where, found=f"{type(error).__name__}: {error}") from error
    if not isinstance(trainer, Trainer):
        expected = "an object with the members of learners.training.trainer.Trainer"
        raise InputError("no trainer", where=where, expected=expected, found=f"{registered[0].value}: {trainer!r}")
    return trainer
