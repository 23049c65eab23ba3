"""Executes one job. The command's own process and its workers use the same code."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from learners.delta.delta import Delta, is_head
from learners.delta.initial import initial_delta
from learners.device import no_memory, recover
from learners.forward.frozen_layers import frozen_layers
from learners.specification.alternatives import task_learner
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.specification.tuned import Tuned
from learners.training.result import Report
from learners.training.trainer import Nondeterminism
from stream.execution.activation_cache import ActivationsChanged
from stream.execution.evaluate_job import evaluate
from stream.execution.fit_job import execute_fit
from stream.execution.pack_job import JobError, execute_in_packs
from stream.execution.result import JobResult, Needed, Scored
from stream.execution.search_job import execute_search
from stream.execution.workbench import BackboneChanged, Workbench
from stream.storage.cell import Cell
from stream.storage.fits import FailedTask, LearnedTask
from stream.storage.job import Job, JobId
from stream.storage.scores import Evaluation, get_score, put_score
from stream.storage.store import DamagedEntry
from tasks.errors import InputError
from tasks.metrics import scoring

# Exceptions that a job may raise; any other one is a defect. A fit that diverges is a result: the stream continues.
FAILURES = (BackboneChanged, ActivationsChanged, Nondeterminism, InputError, OSError, MemoryError)


class EntryLost(Exception):
    """A job needs a file of the store that is missing or damaged. A damaged one was put aside.

    Attributes:
        delta: Content id of the Delta in the file; None for the record of a fit.
        job: The job that needs it, if it was one of several. Default: None.
    """

    def __init__(self, message: str, delta: str | None, job: Job | None = None) -> None:
        super().__init__(message)
        self.delta, self.job = delta, job


def execute(workbench: Workbench, job: Job, results: Mapping[JobId, Needed], report: Report) -> JobResult:
    """Does one job.

    Args:
        results: Results of the jobs that it needs, by id.
        report: Called during a fit with its progress.

    Raises:
        BackboneChanged: A tensor of the backbone changed; the error names the tensor.
        ActivationsChanged: Cached activations changed in memory.
        Nondeterminism: A trainer does not repeat its own earlier fit; see `learners.training.trainer.Trainer.fit`.
        EntryLost: A file of the store is missing or damaged, and was put aside.
    """
    try:
        return _execute(workbench, job, results, report)
    except DamagedEntry as damage:
        raise _lost(workbench, damage) from damage
    except RuntimeError as error:
        recover(error, workbench.setup.device)
        raise MemoryError(no_memory(workbench.setup.device, None, workbench.data(job.tasks[-1]).max_length)) from None


def execute_together(
    workbench: Workbench, jobs: Sequence[Job], results: Mapping[JobId, Needed], report: Callable[[Job], Report]
) -> Generator[tuple[Job, JobResult]]:
    """Does jobs of one learner whose fits can share passes, and yields each with its result as soon as it ends.

    Args:
        report: Gives what is called with the progress of a job.

    Raises:
        BackboneChanged, EntryLost: As for `execute`.
        JobError: Another failure of one of the jobs.
    """
    try:
        yield from execute_in_packs(workbench, jobs, results, report)
    except JobError as failure:
        if isinstance(failure.error, DamagedEntry):
            raise _lost(workbench, failure.error, failure.job) from failure
        if isinstance(failure.error, FAILURES):
            raise
        raise failure.error from None


def _lost(workbench: Workbench, damage: DamagedEntry, job: Job | None = None) -> EntryLost:
    """Puts a damaged file of the store aside, and returns what to raise."""
    aside = workbench.store.put_aside(damage)
    where = f"{damage.path}, put aside as {aside}" if aside else f"{damage.path}, which is missing"
    found = f" ({damage.found})" if damage.found and aside else ""
    return EntryLost(f"{damage.what}{found}: {where}", damage.delta, job)


def _execute(workbench: Workbench, job: Job, results: Mapping[JobId, Needed], report: Report) -> JobResult:
    learner = workbench.learners[job.learner]
    if job.kind == "search":
        return execute_search(workbench, job, learner, results, report)
    if job.kind == "fit":
        return execute_fit(workbench, job, learner, results, report)
    if job.kind == "before":
        cells = [_score_before(workbench, learner, task) for task in job.tasks]
    else:
        cells = _score_row(workbench, job, learner, results)
    learned = {fit.task for fit in results.values() if fit is not None}
    # Initial Deltas and Deltas stored as a difference start from the float32 weights, so check these too.
    workbench.check_backbone(job, copies=learner.difference or not learned.issuperset(job.tasks))
    return Scored(tuple(cells))


def _score_row(workbench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed]) -> list[Cell]:
    """Scores the tasks of a row after an arrival.

    If the learner keeps the weights of each task, a past task is scored with its own Delta. If not, it is scored with
    the current body and the task's head. A task whose fit failed is not scored.
    """
    arrived = (need for need in job.needs if need.parts[2] <= job.arrival)  # others only had to be done before
    fits = [fit for need in arrived if (fit := results[need]) is not None]
    learned = {fit.task: fit for fit in fits if isinstance(fit, LearnedTask)}
    failed = {fit.task for fit in fits if isinstance(fit, FailedTask)}
    last = [*learned.values()][-1] if learned and learner.needs_previous_fit else None
    latest = workbench.store.get_delta(last) if last else None
    cells = []
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
        kept = task_learner(learner, chosen)
        scored = partial(_score, workbench, kept, delta, task)
        cells.append(_known(workbench, kept, delta, task, scored) if certifiable else scored())
    return cells


def _score_before(workbench: Workbench, learner: Learner, task: str) -> Cell:
    """Scores the initial Delta of a task.

    A learner that adds no modules starts with the weights of the backbone. So the head reads the same activations for
    all such learners, which share them.
    """
    started = time.perf_counter()
    delta = initial_delta(workbench.backbone, learner, workbench.data(task).task, workbench.setup.seed)
    untrained = replace(learner, tuned=Tuned())
    scored = partial(_score, workbench, learner, delta, task)
    if frozen_layers(untrained, workbench.backbone.architecture) > 0:
        head = Delta({name: tensor for name, tensor in delta.tensors.items() if is_head(name)})
        scored = partial(_score, workbench, untrained, head, task, share=True)
    cell = _known(workbench, learner, delta, task, scored) if learner.keeps_task_weights else scored()
    return replace(cell, delta=delta.id, seconds=time.perf_counter() - started)


def _known(workbench: Workbench, learner: Learner, delta: Delta, task: str, scored: Callable[[], Cell]) -> Cell:
    """Returns the cell of a Delta on the test rows of a task: if runs share scores and another run on the store has
    measured it, that cell, certified; else a new one.

    Args:
        scored: Evaluates.
    """
    setup, started = workbench.setup, time.perf_counter()
    if not setup.share_scores:
        return scored()
    data = workbench.data(task)
    evaluation = Evaluation(
        backbone=workbench.backbone.id,
        delta=delta.id,
        learner=recipe_of(learner),
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
    frozen_prefix, cached = None, False
    if workbench.setup.share_activations if share is None else share:
        frozen_prefix, cached = workbench.activation_cache.frozen_prefix(workbench.backbone, learner, task, data.test)
    cell = evaluate(workbench.backbone, learner, delta, data.task, data.test, frozen_prefix)
    seconds = time.perf_counter() - started  # with the time for the activations, if it filled them
    return replace(cell, seconds=seconds, provenance="partly-measured" if cached else "measured")
