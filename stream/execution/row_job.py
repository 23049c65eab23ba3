"""Rows of R: the scores of a learner's Deltas on test rows, before the first arrival and after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
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
from stream.execution.workbench import OPEN_TASKS, Workbench
from stream.storage.cell import Cell
from stream.storage.fits import FailedTask, LearnedTask
from stream.storage.job import Job, JobId
from stream.storage.scores import Evaluation, get_score, put_score
from tasks.metrics import scoring


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

    untrained = replace(learner, tuned=Tuned())
    if not frozen_layers(untrained, workbench.backbone.architecture):
        return [*_scored(workbench, map(asked, job.tasks))]
    cells = []
    for task in job.tasks:
        started, initial = time.perf_counter(), asked(task)
        head = Delta({name: tensor for name, tensor in initial.delta.tensors.items() if is_head(name)})
        cell = _alone(workbench, initial, partial(_score, workbench, untrained, head, task, share=True))
        cells.append(replace(cell, delta=initial.delta.id, seconds=time.perf_counter() - started))
    return cells


def _scored(workbench: Workbench, row: Iterator[_Asked]) -> Iterator[Cell]:
    """Yields a cell for each. Those that follow one another and can share passes do so, `OPEN_TASKS` at a time."""
    backbone, slots = workbench.backbone, workbench.setup.pack

    def company(asked: _Asked) -> Learner | None:
        alone = asked.certifiable and workbench.setup.share_scores
        return None if alone or not in_shared_passes(asked.learner, backbone, slots) else kind_of(asked.learner)

    for kind, group in groupby(row, key=company):
        if kind is None:
            for asked in group:
                yield _alone(workbench, asked, partial(_score, workbench, asked.learner, asked.delta, asked.task))
        while kind is not None and (some := [*islice(group, OPEN_TASKS)]):
            rows = [(each.delta, workbench.data(each.task)) for each in some]
            asked_for = [Question(delta, data.task, data.test) for delta, data in rows]
            yield from evaluate_together(backbone, some[0].learner, asked_for, slots)


def _alone(workbench: Workbench, asked: _Asked, scored: Callable[[], Cell]) -> Cell:
    """Returns the cell of one Delta: if it is certifiable, runs share scores, and another run on the store has measured
    it, that cell, certified; else a new one.

    Args:
        scored: Evaluates.
    """
    setup, started, task, delta = workbench.setup, time.perf_counter(), asked.task, asked.delta
    if not (asked.certifiable and setup.share_scores):
        return scored()
    data = workbench.data(task)
    evaluation = Evaluation(
        backbone=workbench.backbone.id,
        delta=delta.id,
        learner=recipe_of(asked.learner),
        data=(task, data.id, scoring(data.task)),
        test_examples=setup.test_examples,
        data_seed=setup.data_seed,
        numerics=workbench.numerics,
    )
    if (known := get_score(workbench.store, evaluation, setup.share_scores)) is not None:
        return replace(known, seconds=time.perf_counter() - started, provenance="certified")
    cell = replace(scored(), delta=delta.id)
    put_score(workbench.store, evaluation, cell, setup.share_scores)
    return cell


def _score(workbench: Workbench, learner: Learner, delta: Delta, task: str, share: bool | None = None) -> Cell:
    """Scores a Delta on the test rows of a task.

    Args:
        share: Whether to take the output of frozen layers from the cache, or to put it there. None (default) is the
            setting of the run.
    """
    data, started = workbench.data(task), time.perf_counter()
    if in_shared_passes(learner, workbench.backbone, workbench.setup.pack):  # also a single one: its bits are the same
        asked = Question(delta, data.task, data.test)
        return evaluate_together(workbench.backbone, learner, [asked], workbench.setup.pack)[0]
    frozen_prefix, cached = None, False
    if workbench.setup.share_activations if share is None else share:
        frozen_prefix, cached = workbench.activation_cache.frozen_prefix(workbench.backbone, learner, task, data.test)
    cell = evaluate(workbench.backbone, learner, delta, data.task, data.test, frozen_prefix)
    seconds = time.perf_counter() - started  # with the time for the activations, if it filled them
    return replace(cell, seconds=seconds, provenance="partly-measured" if cached else "measured")
