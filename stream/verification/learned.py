"""Access to what a finished run learned: its learners by name, their tasks and Deltas, and its backbone."""

from __future__ import annotations

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import pinned_backbone
from learners.delta.delta import Delta
from learners.specification.alternatives import task_learner
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from stream.storage.events import FitEvent
from stream.storage.finished import good
from stream.storage.store import Store
from stream.verification.recorded import RecordedRun
from tasks.errors import InputError, unknown_name


def final_delta(run: RecordedRun, store: Store, learner: str, task: str) -> Delta:
    """Returns the Delta that a learner uses for a task at the end of the run: the task's own Delta, or the newest body
    with the task's head.

    Args:
        learner: Specification of the learner as in the run.

    Raises:
        InputError: The task was not learned, or the Delta is missing or changed.
    """
    fits = {fit.task: fit for fit in run.fits[learner] if fit is not None}
    fit = fits.get(task)
    if not isinstance(fit, FitEvent):
        found = "the run has not reached this task" if fit is None else fit.failed.message
        raise InputError("this task was not learned", where=f"learner {learner}, task {task}", found=found)
    if run.facts.learners[learner].keeps_task_weights:
        return store.get_delta(fit)
    last = good(fits.values())[-1]
    return store.get_delta(last).with_head(store.get_head(fit), task)


def final_learner(run: RecordedRun, learner: str, task: str) -> tuple[str, Learner]:
    """Returns the learner of a task's Delta and its specification: of a learner with alternatives, the one that the
    task kept.

    Args:
        learner: Specification of the learner as in the run.
    """
    fit = run.fits[learner][run.place[task] - 1]
    chosen = fit.chosen if isinstance(fit, FitEvent) else None
    return chosen or learner, task_learner(run.facts.learners[learner], chosen)


def named_learner(run: RecordedRun, learner: str) -> str:
    """Returns the specification of a learner as in the run, given that or another one of the same learner.

    Raises:
        InputError: The run has no such learner.
    """
    names = {_canonical(name): name for name in run.facts.learners} | {name: name for name in run.facts.learners}
    if (found := names.get(learner) or names.get(_canonical(learner))) is None:
        raise unknown_name("learner of this run", learner, run.facts.learners, where="--learner")
    return found


def _canonical(specification: str) -> str:
    try:
        return parse_learner(specification).name
    except InputError:  # not a learner, or one of a plug-in that is not loaded
        return specification


def run_backbone(run: RecordedRun, name: str | None = None) -> Backbone:
    """Loads the backbone of a run and checks its content.

    Args:
        name: The backbone, as in `--backbone`. None (default): the one in the record.

    Raises:
        InputError: The backbone is not available, or has other content.
    """
    backbone = load_backbone(name or pinned_backbone(run.facts.backbone))
    if backbone.id != run.inputs.backbone:
        expected, found = f"content {run.inputs.backbone[:16]}", backbone.id[:16]
        raise InputError("the backbone differs from that of the run", where=backbone.name, expected=expected,
                         found=found)  # fmt: skip
    return backbone


def learned_tasks(run: RecordedRun, learner: str) -> list[str]:
    """Returns the names of the tasks that a learner has learned, in order of arrival."""
    return [fit.task for fit in good(run.fits[learner])]
