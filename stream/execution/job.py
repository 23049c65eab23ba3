"""Execution of one job: the same code in the command's own process and in its workers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from learners.delta.delta import Delta, is_head
from learners.delta.initial import initial_delta
from learners.forward.layer_range import frozen_layers
from learners.specification.learner import Learner
from learners.specification.tuned import Tuned
from learners.training.fit import Report
from learners.training.trainer import Nondeterminism
from stream.execution.activation_cache import ActivationsChanged
from stream.execution.evaluate_job import evaluate
from stream.execution.fit_job import fitted
from stream.execution.result import JobResult, Needed, Scored
from stream.execution.workbench import BackboneChanged, Workbench
from stream.storage.cell import Score
from stream.storage.fits import FailedTask, LearnedTask
from stream.storage.job import Job, JobId
from tasks.errors import InputError

# What a job may end with; anything else is a defect. A fit that diverges is a result: the stream goes on.
FAILURES = (BackboneChanged, ActivationsChanged, Nondeterminism, InputError, OSError, MemoryError)


def execute(bench: Workbench, job: Job, results: Mapping[JobId, Needed], report: Report) -> JobResult:
    """Do one job.

    Args:
        results: What it takes of the jobs it needs, by id.

    Raises:
        BackboneChanged: A tensor of the backbone is not what it was; names it.
        InputError: A stored Delta was changed; names file and tensor.
    """
    learner = bench.learners[job.learner]
    if job.kind == "fit":
        return fitted(bench, job, learner, results, report)
    if job.kind == "before":
        cells = [_before(bench, learner, task) for task in job.tasks]
    else:
        cells = _row(bench, job, learner, results)
    learned = {found.task for found in results.values() if found is not None}
    bench.check_backbone(job, copies=learner.difference or not learned.issuperset(job.tasks))  # where Deltas begin
    return Scored(tuple(cells))


def _row(bench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed]) -> list[Score]:
    """Scores after an arrival: each past task with its own Delta, or with the body as it now is and the task's head.

    A task whose fit failed has none.
    """
    fits = [found for need in job.needs if (found := results[need]) is not None]
    learned = {fit.task: fit for fit in fits if isinstance(fit, LearnedTask)}
    failed = {fit.task for fit in fits if isinstance(fit, FailedTask)}
    last = [*learned.values()][-1] if learned and learner.needs_previous_fit else None
    latest = bench.store.get_delta(last) if last else None
    cells = []
    for task in job.tasks:
        if task in failed:
            continue
        if task in learned:
            if latest is not None and not learner.keeps_task_weights:
                delta = latest.with_head(bench.store.get_head(learned[task]), task)
            else:
                delta = bench.store.get_delta(learned[task])
        else:  # a task still to come: its first head, unless it is foreseen, on the body as it now is
            delta = initial_delta(bench.backbone, learner, bench.data(task).task, bench.setup.seed, latest)
            delta = latest.with_head(delta, task) if latest is not None and not learner.keeps_task_weights else delta
        cells.append(_score(bench, learner, delta, task))
    return cells


def _before(bench: Workbench, learner: Learner, task: str) -> Score:
    """What a first Delta answers. Of a learner that adds nothing its weights are the backbone's own, so what the head
    reads is the same for all such learners."""
    data, started = bench.data(task), time.perf_counter()
    delta = initial_delta(bench.backbone, learner, data.task, bench.setup.seed)
    untrained = replace(learner, tuned=Tuned())
    if frozen_layers(untrained, bench.backbone.architecture) == 0:
        return _score(bench, learner, delta, task)
    frozen_prefix = bench.kept.frozen_prefix(bench.backbone, untrained, task, data.test)
    head = Delta({name: tensor for name, tensor in delta.tensors.items() if is_head(name)})
    found = evaluate(bench.backbone, untrained, head, data.task, data.test, frozen_prefix)
    return replace(found, delta=delta.id, seconds=time.perf_counter() - started)


def _score(bench: Workbench, learner: Learner, delta: Delta, task: str) -> Score:
    data, started = bench.data(task), time.perf_counter()
    kept = bench.setup.keep  # then the first who asks pays for all
    frozen_prefix = bench.kept.frozen_prefix(bench.backbone, learner, task, data.test) if kept else None
    found = evaluate(bench.backbone, learner, delta, data.task, data.test, frozen_prefix)
    return replace(found, seconds=time.perf_counter() - started)
