"""What a finished job leaves: an event of the ledger, with the provenance of every cell, and what a view is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.engine.context import RunContext
from stream.engine.progress import FitDone, Handle, cell_entry
from stream.engine.running_metrics import RunningMetrics, advance, answered
from stream.execution.result import Fitted, JobResult, Scored
from stream.execution.schedule import JobFailed
from stream.results.document import Facts
from stream.results.schema import ViolationEntry
from stream.storage.cell import Cell, Score
from stream.storage.events import FailedFitEvent, FitEvent, JobEvent, RowEvent, Violation, as_entry
from stream.storage.finished import row_of
from stream.storage.fits import FitResult
from stream.storage.job import Job, JobId
from stream.storage.ledger import Ledger


@dataclass(eq=False, kw_only=True)
class Following:
    """A run as a view is told of it: the events of finished jobs by job id, and whom to tell."""

    facts: Facts
    handle: Handle
    jobs: Mapping[JobId, Job]
    events: dict[JobId, JobEvent] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    metrics: dict[str, RunningMetrics] = field(init=False)

    def __post_init__(self) -> None:
        place = {task: arrival for arrival, task in enumerate(self.facts.order, start=1)}
        backbone = self.facts.backbone["parameters"]
        self.metrics = {name: RunningMetrics(name, x, place, backbone) for name, x in self.facts.learners.items()}


@dataclass(eq=False, kw_only=True)
class Progress(Following):
    """State of a run under way."""

    context: RunContext
    ledger: Ledger


def keep(progress: Progress, job: Job, result: JobResult) -> None:
    """Write a job's event to the ledger. Cells nobody had to run are certified here.

    Raises:
        JobFailed: A cell of an isolated learner whose logits are not those of the day the task was learned. The ledger
            then says so, and the same command does the row again.
    """
    key = progress.context.inputs.key(job)
    event = fit_event(job, key, result) if isinstance(result, Fitted) else row_event(progress, job, key, result)
    violations = take(progress, job, event)
    if not violations:
        progress.ledger.append(as_entry(event))
        return
    found = violations[0]
    message = (
        f"task {found['task']} no longer gives the logits of the day it was learned, though backbone and Delta are "
        f"unchanged: this machine's arithmetic is not repeatable; expected {found['expected'][:16]}, "
        f"found {found['found'][:16]}"
    )
    violation = Violation(learner=job.learner, task=found["task"], arrival=found["arrival"], message=message)
    progress.ledger.append(as_entry(violation))
    tell_violation(progress, violation)
    raise JobFailed(job.id, "Nondeterminism", message)


def fit_event(job: Job, key: str, result: Fitted) -> FitEvent | FailedFitEvent:
    about: dict[str, Any] = {"arrival": job.arrival, "key": key, "recipe": result.recipe, "cached": result.cached}
    event = FitEvent if isinstance(result.fit, FitResult) else FailedFitEvent
    return event(**vars(result.fit), **about, learner=job.learner)


def row_event(progress: Progress, job: Job, key: str, result: Scored) -> RowEvent:
    """A row as the ledger keeps it; see `RowEvent`."""
    metrics = progress.metrics[job.learner]
    certifiable = progress.context.config.evaluate == "audited" and metrics.learner.keeps_task_weights
    cells = []
    for score in sorted(result.cells, key=lambda score: metrics.place[score.task]):
        again = certifiable and job.kind != "before" and score.task in metrics.learned
        cells.append(as_cell(score, audited=again))
    certified = None
    if certifiable and job.kind == "evaluate":
        certify(progress, job)
        failed = sum(metrics.place[task] <= job.arrival for task in metrics.failed)
        certified = job.arrival - failed - len(cells)
    assert job.kind != "fit"
    return RowEvent(
        kind=job.kind, learner=job.learner, arrival=job.arrival, key=key, cells=tuple(cells), certified=certified
    )


def as_cell(score: Score, *, audited: bool) -> Cell:
    return Cell(
        task=score.task,
        score=score.score,
        n=score.n,
        logits=score.logits,
        predictions=score.predictions,
        delta=score.delta,
        plan=score.plan,
        seconds=score.seconds,
        provenance="audited" if audited else "measured",
    )


def take(progress: Following, job: Job, event: JobEvent) -> list[ViolationEntry]:
    """Count a finished job in, done now or in an earlier call; returns the violations that it shows."""
    progress.events[job.id] = event
    metrics = progress.metrics[job.learner]
    advance(metrics, progress.events)
    if isinstance(event, RowEvent) and event.kind != "before":
        return answered(metrics, job.arrival, event.cells)
    return []


def certify(progress: Progress, job: Job) -> None:
    """See that every task learned before was measured on the day it arrived, with the Delta that its fit gave.

    A task whose fit failed was not learned: there is nothing to certify. Nothing of this changes while a run goes on,
    so each task is looked at once.

    Raises:
        JobFailed: One was not. Keys make this impossible; a proof must not rest on that.
    """
    metrics = progress.metrics[job.learner]
    while metrics.proven < job.arrival - 1:
        task, arrival = progress.facts.order[metrics.proven], metrics.proven + 1
        fit, first = progress.events[JobId.of("fit", job.learner, arrival)], metrics.learned.get(task)
        if isinstance(fit, FitEvent) and (first is None or (first.arrival, first.delta) != (arrival, fit.delta)):
            raise JobFailed(job.id, "Uncertifiable", f"no measured cell of task {task} with Delta {fit.delta[:16]}")
        metrics.proven = arrival


def arrived(progress: Following, job: Job) -> bool:
    """Whether this job's row was the last of its arrival."""
    rows = (row_of(progress.events, "evaluate", learner, job.arrival) for learner in progress.facts.learners)
    return job.kind == "evaluate" and all(rows)


def begin(progress: Following, out: str, finished: int = 0) -> None:
    """Tell the view what runs.

    Args:
        finished: How many jobs were done before.
    """
    facts = progress.facts
    progress.handle({
        "event": "run",
        "suite": facts.suite,
        "order": list(facts.order),
        "learners": {name: {"sharing": learner.sharing} for name, learner in facts.learners.items()},
        "backbone": facts.backbone,
        "jobs": len(progress.jobs),
        "cached": finished,
        "seed": facts.seed,
        "out": out,
        "settings": facts.settings,
    })  # fmt: skip


def show(progress: Following, job: Job) -> None:
    """Tell the view of a finished job."""
    event = progress.events[job.id]
    if isinstance(event, RowEvent):
        show_row(progress, job, event)
    elif isinstance(event, FitEvent):
        progress.handle(shown_fit(job, event))
    else:
        why = event.failed
        progress.handle({
            "job": job.id, "learner": job.learner, "arrival": job.arrival, "event": "fit", "task": job.tasks[0],
            "failed": {"type": why.type, "step": why.step, "message": why.message}, "seconds": event.seconds,
        })  # fmt: skip


def shown_fit(job: Job, event: FitEvent) -> FitDone:
    return {
        "job": job.id,
        "learner": job.learner,
        "arrival": job.arrival,
        "event": "fit",
        "task": job.tasks[0],
        "epochs": list(event.validation),
        "score": event.validation[event.best] if event.best >= 0 else None,
        "losses": list(event.losses),
        "parameters": event.parameters,
        "head_parameters": event.head_parameters,
        "bytes": event.bytes,
        "seconds": event.seconds,
        "cached": event.cached,
        "delta": event.delta,
    }


def show_row(progress: Following, job: Job, event: RowEvent) -> None:
    order, metrics = progress.facts.order, progress.metrics[job.learner]
    task = order[max(job.arrival, 1) - 1]
    cells, seconds = [cell_entry(cell) for cell in event.cells], sum(cell.seconds for cell in event.cells)
    if job.kind == "before":
        progress.handle({
            "job": job.id, "learner": job.learner, "arrival": job.arrival, "task": task, "cells": cells,
            "seconds": seconds, "event": "before",
        })  # fmt: skip
        return
    progress.handle({
        "job": job.id, "learner": job.learner, "arrival": job.arrival, "task": task, "cells": cells,
        "seconds": seconds,
        "growth": metrics.growth[job.arrival - 1] if len(metrics.growth) >= job.arrival else None,
        "forgetting": metrics.forgetting,
        # A row of an isolated learner that is not as on the day of learning has ended the run in `keep`.
        "verified": True if metrics.learner.keeps_task_weights else None,
        "event": "row",
    })  # fmt: skip
    if arrived(progress, job):
        took = time.perf_counter() - progress.started
        progress.handle({
            "event": "arrival", "arrival": job.arrival, "tasks": len(order), "task": task, "seconds": took
        })  # fmt: skip


def tell_violation(progress: Following, violation: Violation) -> None:
    progress.handle({
        "event": "violation", "learner": violation.learner, "task": violation.task, "arrival": violation.arrival,
        "message": violation.message,
    })  # fmt: skip
