"""Makes the ledger event of a finished job, with the provenance of every cell, and sends it to the view."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stream.engine.context import RunContext
from stream.engine.progress import FitDone, Handle, TrialDone, cell_entry
from stream.engine.running_metrics import RunningMetrics, add_cells, advance
from stream.execution.pending import JobFailed
from stream.execution.result import Fitted, JobResult, Scored
from stream.execution.trial_job import trial_of
from stream.results.document import Facts
from stream.results.schema import ViolationEntry
from stream.storage.events import FailedFitEvent, FitEvent, JobEvent, RowEvent, SearchEvent, Violation, as_entry
from stream.storage.finished import row_of
from stream.storage.fits import WORKER_DIED, FailedFit, Failure, FitResult, last_good
from stream.storage.job import Job, JobId
from stream.storage.keys import fit_recipe
from stream.storage.ledger import Ledger
from stream.storage.trials import TriedFit


@dataclass(eq=False, kw_only=True)
class RunState:
    """The state of a run that is shown: live, or replayed from its ledger.

    Attributes:
        facts: Facts about the run.
        handle: Called with every event of `stream.engine.progress`.
        jobs: All jobs of the run, by id.
        events: Ledger events of the finished jobs, by job id.
        started: Time when the call began, in seconds of `time.perf_counter`.
        metrics: Running metrics of each learner, by specification.
    """

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
class ActiveRun(RunState):
    """The state of a run that is running in this process."""

    context: RunContext
    ledger: Ledger


def record(state: ActiveRun, job: Job, result: JobResult) -> None:
    """Writes the event of a finished job to the ledger. Certifies the cells of the row that were not evaluated.

    Raises:
        JobFailed: A fit that was done again gave another Delta. Or a cell of an isolated learner has other logits than
            when the task was learned; the ledger then has a `violation` event, and the same command evaluates the row
            again.
    """
    key = state.context.inputs.key(job)
    event = event_of(state, job, key, result)
    before = state.events.get(job.id)  # of a fit that is done again, because its file in the store was damaged
    if isinstance(before, FitEvent) and getattr(event, "delta", None) != before.delta:
        message = f"the fit of task {before.task} was done again and did not give Delta {before.delta[:16]} again"
        raise JobFailed(job.id, "Nondeterminism", message)
    violations = add_event(state, job, event)
    if not violations:
        state.ledger.append(as_entry(event))
        return
    first = violations[0]
    message = (
        f"task {first['task']} has other logits than when it was learned, but backbone and Delta are unchanged: "
        f"this machine does not repeat its computations exactly; expected {first['expected'][:16]}, "
        f"found {first['found'][:16]}"
    )
    violation = Violation(learner=job.learner, task=first["task"], arrival=first["arrival"], message=message)
    state.ledger.append(as_entry(violation))
    show_violation(state, violation)
    raise JobFailed(job.id, "Nondeterminism", message)


def event_of(state: ActiveRun, job: Job, key: str, result: JobResult) -> JobEvent:
    """Returns the ledger event of a finished job."""
    if isinstance(result, Fitted):
        return fit_event(job, key, result)
    if isinstance(result, TriedFit):
        return SearchEvent(**vars(result), learner=job.learner, arrival=job.arrival, key=key)
    return row_event(state, job, key, result)


def fit_event(job: Job, key: str, result: Fitted) -> FitEvent | FailedFitEvent:
    """Returns the ledger event of a finished fit."""
    about: dict[str, Any] = {"arrival": job.arrival, "key": key, "recipe": result.recipe, "cached": result.cached}
    if not isinstance(result.fit, FitResult):
        return FailedFitEvent(**vars(result.fit), **about, learner=job.learner)
    values = vars(result.fit)
    if result.chosen is not None:
        chosen = result.chosen
        values = {**values, "chosen": chosen.candidate, "until": chosen.until, "seed": chosen.seed}
    return FitEvent(**values, **about, learner=job.learner)


def fit_without_worker(state: ActiveRun, job: Job, why: str) -> Fitted:
    """Returns the result of a fit that cannot be done, because each worker that began it ended.

    Args:
        why: The reason, for the results.
    """
    fits = [state.events[need] for need in job.needs]
    start = last_good(fits[-1]) if fits and isinstance(fits[-1], FitEvent | FailedFitEvent) else None
    earlier = [fit for fit in fits if isinstance(fit, FitEvent)]
    inputs, learner = state.context.inputs, state.facts.learners[job.learner]
    recipe = fit_recipe(inputs, learner, job, start, earlier)
    failure = Failure(type=WORKER_DIED, step=0, message=why)
    last = start.reference if start else None
    fit = FailedFit(task=job.tasks[0], failed=failure, last_good=last, flops=0, seconds=0.0, peak_memory_bytes=0)
    return Fitted(recipe.id, fit, cached=False)


def trial_without_worker(state: ActiveRun, job: Job, why: str) -> TriedFit:
    """Returns the result of a trial that cannot be done, because each worker that began it ended."""
    inputs, learner = state.context.inputs, state.facts.learners[job.learner]
    assert learner.selection is not None
    assert job.trial is not None
    done = {need: event for need in job.needs if isinstance(event := state.events[need], SearchEvent)}
    trial = trial_of(job, learner.selection, inputs.seed, done)
    failure = Failure(type=WORKER_DIED, step=0, message=why)
    return TriedFit(
        **vars(trial), task=job.tasks[0], trial=job.trial, score=None, parameters=0, cached=False, delta=None,
        recipe=fit_recipe(inputs, learner, job, None, (), trial).id, validation=(), flops=0, examples=0, seconds=0.0,
        failed=failure,
    )  # fmt: skip


def row_event(state: ActiveRun, job: Job, key: str, result: Scored) -> RowEvent:
    """Returns the ledger event of a finished row; see `RowEvent`."""
    metrics = state.metrics[job.learner]
    certifiable = state.context.config.evaluate == "audited" and metrics.learner.keeps_task_weights
    cells = []
    for cell in sorted(result.cells, key=lambda cell: metrics.place[cell.task]):
        again = certifiable and job.kind != "before" and cell.task in metrics.learned
        cells.append(replace(cell, provenance="audited") if again else cell)
    certified = None
    if certifiable and job.kind == "evaluate":
        check_certificate(state, job)
        failed = sum(metrics.place[task] <= job.arrival for task in metrics.failed)
        certified = job.arrival - failed - len(cells)
    assert job.kind != "fit"
    assert job.kind != "search"
    return RowEvent(
        kind=job.kind, learner=job.learner, arrival=job.arrival, key=key, cells=tuple(cells), certified=certified
    )


def add_event(state: RunState, job: Job, event: JobEvent) -> list[ViolationEntry]:
    """Adds the event of a job, finished now or in an earlier call, to the state.

    Returns:
        The learned tasks of an isolated learner whose logits differ from earlier ones; normally an empty list.
    """
    state.events[job.id] = event
    metrics = state.metrics[job.learner]
    advance(metrics, state.events)
    if isinstance(event, RowEvent) and event.kind != "before":
        return add_cells(metrics, job.arrival, event.cells)
    return []


def check_certificate(state: ActiveRun, job: Job) -> None:
    """Checks that every earlier task was measured when it arrived, with the Delta of its fit.

    A task whose fit failed has no certified cells. None of this changes during a run, so each task is checked once.

    Raises:
        JobFailed: A task has no such cell. Equal keys should exclude this, but a proof must not rely on that.
    """
    metrics = state.metrics[job.learner]
    while metrics.proven < job.arrival - 1:
        task, arrival = state.facts.order[metrics.proven], metrics.proven + 1
        fit, first = state.events[JobId.of("fit", job.learner, arrival)], metrics.learned.get(task)
        if isinstance(fit, FitEvent) and (first is None or (first.arrival, first.delta) != (arrival, fit.delta)):
            raise JobFailed(job.id, "Uncertifiable", f"no measured cell of task {task} with Delta {fit.delta[:16]}")
        metrics.proven = arrival


def arrival_done(state: RunState, job: Job) -> bool:
    """Whether this job finished its arrival: every learner now has a row."""
    rows = (row_of(state.events, "evaluate", learner, job.arrival) for learner in state.facts.learners)
    return job.kind == "evaluate" and all(rows)


def show_run(state: RunState, out: str, finished: int = 0) -> None:
    """Shows the start of a run.

    Args:
        out: Folder of the run.
        finished: Number of jobs that earlier calls finished. Default: 0.
    """
    facts = state.facts
    state.handle({
        "event": "run",
        "suite": facts.suite,
        "order": list(facts.order),
        "learners": {name: {"sharing": learner.sharing} for name, learner in facts.learners.items()},
        "backbone": facts.backbone,
        "jobs": len(state.jobs),
        "cached": finished,
        "seed": facts.seed,
        "out": out,
        "settings": facts.settings,
    })  # fmt: skip


def show(state: RunState, job: Job) -> None:
    """Shows a finished job."""
    event = state.events[job.id]
    if isinstance(event, RowEvent):
        show_row(state, job, event)
    elif isinstance(event, SearchEvent):
        state.handle(shown_trial(job, event))
    elif isinstance(event, FitEvent):
        state.handle(shown_fit(job, event))
    else:
        why = event.failed
        state.handle({
            "job": job.id, "learner": job.learner, "arrival": job.arrival, "event": "fit", "task": job.tasks[0],
            "failed": {"type": why.type, "step": why.step, "message": why.message}, "seconds": event.seconds,
        })  # fmt: skip


def shown_fit(job: Job, event: FitEvent) -> FitDone:
    """Returns a successful fit as an event for views."""
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


def shown_trial(job: Job, event: SearchEvent) -> TrialDone:
    """Returns a finished trial as an event for views."""
    return {
        "job": job.id,
        "learner": job.learner,
        "arrival": job.arrival,
        "event": "search",
        "task": job.tasks[0],
        "candidate": event.candidate,
        "score": event.score,
        "seconds": event.seconds,
        "cached": event.cached,
    }


def show_row(state: RunState, job: Job, event: RowEvent) -> None:
    """Shows a finished row, and its arrival if every learner now has a row."""
    order, metrics = state.facts.order, state.metrics[job.learner]
    task = order[max(job.arrival, 1) - 1]
    cells, seconds = [cell_entry(cell) for cell in event.cells], sum(cell.seconds for cell in event.cells)
    if job.kind == "before":
        state.handle({
            "job": job.id, "learner": job.learner, "arrival": job.arrival, "task": task, "cells": cells,
            "seconds": seconds, "event": "before",
        })  # fmt: skip
        return
    state.handle({
        "job": job.id, "learner": job.learner, "arrival": job.arrival, "task": task, "cells": cells,
        "seconds": seconds,
        "growth": metrics.growth[job.arrival - 1] if len(metrics.growth) >= job.arrival else None,
        "forgetting": metrics.forgetting,
        # `record` ends the run if a row of an isolated learner has other logits than when its tasks were learned.
        "verified": True if metrics.learner.keeps_task_weights else None,
        "event": "row",
    })  # fmt: skip
    if arrival_done(state, job):
        took = time.perf_counter() - state.started
        state.handle({
            "event": "arrival", "arrival": job.arrival, "tasks": len(order), "task": task, "seconds": took
        })  # fmt: skip


def show_violation(state: RunState, violation: Violation) -> None:
    """Shows that an isolated learner has other logits than when a task was learned."""
    state.handle({
        "event": "violation", "learner": violation.learner, "task": violation.task, "arrival": violation.arrival,
        "message": violation.message,
    })  # fmt: skip
