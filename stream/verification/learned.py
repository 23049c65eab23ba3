"""What a recorded run learned, and on what: learners by name, their tasks, the Delta that answers for one, backbone."""

from __future__ import annotations

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import pinned_backbone
from learners.delta.delta import Delta
from stream.storage.events import FitEvent
from stream.storage.finished import good
from stream.storage.store import Store
from stream.verification.recorded import Recorded
from tasks.errors import InputError, unknown_name


def held_delta(run: Recorded, store: Store, learner: str, task: str) -> Delta:
    """What answers for a task at the end of the record: its own Delta, or the newest body with the task's head.

    Raises:
        InputError: The task is not learned, or the Delta is gone or changed.
    """
    fits = {fit.task: fit for fit in run.fits[learner] if fit is not None}
    fit = fits.get(task)
    if not isinstance(fit, FitEvent):
        found = "the run has not come so far" if fit is None else fit.failed.message
        raise InputError("this task was not learned", where=f"learner {learner}, task {task}", found=found)
    if run.facts.learners[learner].keeps_task_weights:
        return store.get_delta(fit)
    last = good(fits.values())[-1]
    return store.get_delta(last).with_head(store.get_head(fit), task)


def named_learner(run: Recorded, learner: str) -> str:
    """The run's name of a learner, from that or from its canonical one."""
    names = {known.name: name for name, known in run.facts.learners.items()} | {
        name: name for name in run.facts.learners
    }
    if learner not in names:
        raise unknown_name("learner of this run", learner, run.facts.learners, where="--learner")
    return names[learner]


def run_backbone(run: Recorded) -> Backbone:
    """The backbone of a run, its content checked.

    Raises:
        InputError: It is not here, or is another.
    """
    backbone = load_backbone(pinned_backbone(run.facts.backbone))
    if backbone.id != run.inputs.backbone:
        expected, found = f"content {run.inputs.backbone[:16]}", backbone.id[:16]
        raise InputError("the backbone is not the one of the run", where=backbone.name, expected=expected, found=found)
    return backbone


def learned_tasks(run: Recorded, learner: str) -> list[str]:
    """The tasks that a learner has learned, in order of arrival."""
    return [fit.task for fit in good(run.fits[learner])]
