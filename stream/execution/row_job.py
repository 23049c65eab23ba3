"""Rows of R: the scores of a learner's Deltas on test rows, before the first arrival and after each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from learners.delta.delta import Delta, is_head
from learners.delta.initial import initial_delta
from learners.forward.frozen_layers import frozen_layers
from learners.specification.alternatives import task_learner
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.specification.tuned import Tuned
from learners.training.pack import kind_of
from stream.execution.evaluate_job import Question, evaluate, evaluate_together, in_shared_passes
from stream.execution.result import Needed
from stream.execution.workbench import Workbench
from stream.storage.cell import Cell
from stream.storage.fits import FailedTask, LearnedTask
from stream.storage.job import Job, JobId
from stream.storage.scores import Evaluation, get_score, put_score
from tasks.metrics import scoring

TOGETHER = 16  # Deltas that are in memory at once; their tasks' files are open as long


@dataclass(frozen=True, eq=False)
class _Asked:
    """A Delta to score on the test rows of a task.

    Attributes:
        learner: What made the Delta: of a learner with alternatives, the one that was chosen.
        certifiable: Whether the cell of an equal evaluation of another run may stand for this one.
    """

    learner: Learner
    delta: Delta
    task: str
    certifiable: bool


def score_row(workbench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed]) -> list[Cell]:
    """Scores the tasks of a row after an arrival.

    If the learner keeps the weights of each task, a past task is scored with its own Delta. If not, it is scored with
    the current body and the task's head. A task whose fit failed is not scored.
    """
    return [*_scored(workbench, _asked_in(workbench, job, learner, results))]


def _asked_in(workbench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed]) -> Iterator[_Asked]:
    arrived = (need for need in job.needs if need.parts[2] <= job.arrival)  # others only had to be done before
    fits = [fit for need in arrived if (fit := results[need]) is not None]
    learned = {fit.task: fit for fit in fits if isinstance(fit, LearnedTask)}
    failed = {fit.task for fit in fits if isinstance(fit, FailedTask)}
    last = [*learned.values()][-1] if learned and learner.needs_previous_fit else None
    latest = workbench.store.get_delta(last) if last else None
    for task in job.tasks:
        if task in failed:
            continue
        if task in learned:
            if latest is not None and not learner.keeps_task_weights:
                delta = latest.with_head(workbench.store.get_head(learned[task]), task)
            else:
                delta = workbench.store.get_delta(learned[task])
        else:  # a future task: its initial head on the current body; if the latest Delta has a head of it, that one
            delta = initial_delta(workbench.backbone, learner, workbench.data(task).task, workbench.setup.seed, latest)
            delta = latest.with_head(delta, task) if latest is not None and not learner.keeps_task_weights else delta
        chosen = learned[task].chosen if task in learned else None
        # Only the newest task: the others are audits, which must compute everything.
        certifiable = job.kind == "evaluate" and learner.keeps_task_weights and task == job.tasks[-1]
        yield _Asked(task_learner(learner, chosen), delta, task, certifiable)


def score_before(workbench: Workbench, job: Job, learner: Learner) -> list[Cell]:
    """Scores the initial Deltas of tasks.

    A learner that adds no modules starts with the weights of the backbone. So the head reads the same activations for
    all such learners, which share them.
    """

    def asked(task: str) -> _Asked:
        delta = initial_delta(workbench.backbone, learner, workbench.data(task).task, workbench.setup.seed)
        return _Asked(learner, delta, task, learner.keeps_task_weights)

    untrained, architecture = replace(learner, tuned=Tuned()), workbench.backbone.architecture
    if _shares_passes(workbench, learner) or not frozen_layers(untrained, architecture):
        return [*_scored(workbench, map(asked, job.tasks))]

    def scored(initial: _Asked) -> Cell:
        head = Delta({name: tensor for name, tensor in initial.delta.tensors.items() if is_head(name)})
        cell = _score(workbench, untrained, head, initial.task, share=True)
        return replace(cell, delta=initial.delta.id)

    return [_known(workbench, each) or _remember(workbench, each, scored(each)) for each in map(asked, job.tasks)]


def _shares_passes(workbench: Workbench, learner: Learner) -> bool:
    return in_shared_passes(learner, workbench.backbone, workbench.setup.pack)


def _scored(workbench: Workbench, row: Iterator[_Asked]) -> Iterator[Cell]:
    """Yields a cell for each. Those that follow one another and can share passes do so, `TOGETHER` at a time."""

    def kind(asked: _Asked) -> Learner | None:
        return kind_of(asked.learner) if _shares_passes(workbench, asked.learner) else None

    for shared, group in groupby(row, key=kind):
        while some := [*islice(group, 1 if shared is None else TOGETHER)]:
            cells = [_known(workbench, each) for each in some]
            new = iter(_measured(workbench, [each for each, cell in zip(some, cells, strict=True) if cell is None]))
            for each, cell in zip(some, cells, strict=True):
                yield cell or _remember(workbench, each, next(new))


def _measured(workbench: Workbench, asked: Sequence[_Asked]) -> list[Cell]:
    """Evaluates. Several share passes; so does a single one if it can, because its bits must be the same."""
    if not asked or not _shares_passes(workbench, asked[0].learner):
        return [_score(workbench, each.learner, each.delta, each.task) for each in asked]
    rows = [(each.delta, workbench.data(each.task)) for each in asked]
    questions = [Question(delta, data.task, data.test) for delta, data in rows]
    return evaluate_together(workbench.backbone, asked[0].learner, questions, workbench.setup.pack)


def _known(workbench: Workbench, asked: _Asked) -> Cell | None:
    """Returns a cell that another run on the store has measured, certified, if it may stand for this one; else None."""
    setup, started = workbench.setup, time.perf_counter()
    if not (asked.certifiable and setup.share_scores):
        return None
    known = get_score(workbench.store, _evaluation(workbench, asked), setup.share_scores)
    return known and replace(known, seconds=time.perf_counter() - started, provenance="certified")


def _remember(workbench: Workbench, asked: _Asked, cell: Cell) -> Cell:
    """Returns a measured cell; puts it into the store if other runs may take it from there."""
    if asked.certifiable and workbench.setup.share_scores:
        put_score(workbench.store, _evaluation(workbench, asked), cell, workbench.setup.share_scores)
    return cell


def _evaluation(workbench: Workbench, asked: _Asked) -> Evaluation:
    data = workbench.data(asked.task)
    return Evaluation(
        backbone=workbench.backbone.id,
        delta=asked.delta.id,
        learner=recipe_of(asked.learner),
        data=(asked.task, data.id, scoring(data.task)),
        test_examples=workbench.setup.test_examples,
        data_seed=workbench.setup.data_seed,
        numerics=workbench.numerics,
    )


def _score(workbench: Workbench, learner: Learner, delta: Delta, task: str, share: bool | None = None) -> Cell:
    """Scores a Delta by itself on the test rows of a task.

    Args:
        share: Whether to take the output of frozen layers from the cache, or to put it there. None (default) is the
            setting of the run.
    """
    data, started = workbench.data(task), time.perf_counter()
    frozen_prefix, cached = None, False
    if workbench.setup.share_activations if share is None else share:
        frozen_prefix, cached = workbench.activation_cache.frozen_prefix(workbench.backbone, learner, task, data.test)
    cell = evaluate(workbench.backbone, learner, delta, data.task, data.test, frozen_prefix)
    seconds = time.perf_counter() - started  # with the time for the activations, if it filled them
    return replace(cell, seconds=seconds, provenance="partly-measured" if cached else "measured")
