"""What a finished job leaves: an event of the ledger, with the provenance of every cell, and what a view is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.engine.context import RunContext
from stream.engine.running_metrics import RunningMetrics, advance, answered
from stream.execution.schedule import JobFailed
from stream.results.document import Facts
from stream.storage.job import Job, JobId
from stream.storage.ledger import Ledger
from stream.storage.store import recipe_id

Handle = Callable[[dict[str, Any]], None]


@dataclass(eq=False, kw_only=True)
class Following:
    """A run as a view is told of it: the events of finished jobs by job id, and whom to tell."""

    facts: Facts
    handle: Handle
    jobs: Mapping[str, Job]
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    metrics: dict[str, RunningMetrics] = field(init=False)

    def __post_init__(self) -> None:
        place = {task: arrival for arrival, task in enumerate(self.facts.order, start=1)}
        backbone = self.facts.backbone["parameters"]
        self.metrics = {name: RunningMetrics(name, x, place, backbone) for name, x in self.facts.learners.items()}


@dataclass(eq=False, kw_only=True)
class Progress(Following):
    """State of a run under way."""

    prepared: RunContext
    ledger: Ledger


def keep(progress: Progress, job: Job, result: dict[str, Any]) -> None:
    """Write a job's event to the ledger. Cells nobody had to run are certified here.

    Raises:
        JobFailed: A cell of an isolated learner whose logits are not those of the day the task was learned. The ledger
            then says so, and the same command does the row again.
    """
    event = {
        "event": job.kind,
        "learner": job.learner,
        "arrival": job.arrival,
        "key": progress.prepared.inputs.key(job),
    }
    if job.kind == "fit":
        event |= {**result, "recipe": recipe_id(result["recipe"]), "task": job.tasks[0]}
    else:
        event |= row(progress, job, result["cells"])
    violations = take(progress, job, event)
    if not violations:
        progress.ledger.append(event)
        return
    found = violations[0]
    message = (
        f"task {found['task']} no longer gives the logits of the day it was learned, though backbone and Delta are "
        f"unchanged: this machine's arithmetic is not repeatable; expected {found['expected'][:16]}, "
        f"found {found['found'][:16]}"
    )
    violation = {"learner": job.learner, "task": found["task"], "arrival": found["arrival"], "message": message}
    progress.ledger.append({"event": "violation", **violation})
    progress.handle({"event": "violation", **violation})
    raise JobFailed(job.id, "Nondeterminism", message)


def take(progress: Following, job: Job, event: dict[str, Any]) -> list[dict[str, Any]]:
    """Count a finished job in, done now or in an earlier call; returns the violations that it shows."""
    progress.events[job.id] = event
    metrics = progress.metrics[job.learner]
    advance(metrics, progress.events)
    return answered(metrics, job.arrival, event["cells"]) if job.kind in ("evaluate", "audit") else []


def row(progress: Progress, job: Job, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A row as the ledger keeps it.

    * `cells`: those that were run, in order of arrival, with their provenance.
    * `certified`: where a learner is certified, how many tasks learned before were not run: all the others, but for
      those whose fit failed. Each holds the cell measured on the day it arrived, under the Delta of that day's fit. To
      write them out again with every row would fill the ledger with the square of the tasks.
    """
    metrics = progress.metrics[job.learner]
    certifiable = progress.prepared.config.evaluate == "audited" and metrics.learner.keeps_task_weights
    kept = []
    for cell in sorted(cells, key=lambda cell: metrics.place[cell["task"]]):
        again = certifiable and job.kind != "before" and cell["task"] in metrics.learned
        kept.append({**cell, "provenance": "audited" if again else "measured"})
    if not certifiable or job.kind != "evaluate":
        return {"cells": kept}
    certify(progress, job)
    failed = sum(metrics.place[task] <= job.arrival for task in metrics.failed)
    return {"cells": kept, "certified": job.arrival - failed - len(kept)}


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
        if "failed" not in fit and (first is None or (first.arrival, first.delta) != (arrival, fit["delta"])):
            raise JobFailed(job.id, "Uncertifiable", f"no measured cell of task {task} with Delta {fit['delta'][:16]}")
        metrics.proven = arrival


def arrived(progress: Following, job: Job) -> bool:
    """Whether this job's row was the last of its arrival."""
    rows = (JobId.of("evaluate", learner, job.arrival) for learner in progress.facts.learners)
    return job.kind == "evaluate" and all(row in progress.events for row in rows)


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
    event, facts, name = progress.events[job.id], progress.facts, job.learner
    about: dict[str, Any] = {"job": job.id, "learner": name, "arrival": job.arrival}
    if job.kind == "fit" and "failed" in event:
        about |= {"event": "fit", "task": job.tasks[0], "failed": event["failed"], "seconds": event["seconds"]}
        progress.handle(about)
        return
    if job.kind == "fit":
        best, shown = event["best"], ("losses", "parameters", "head_parameters", "bytes", "seconds", "cached", "delta")
        about |= {"event": "fit", "task": job.tasks[0], "epochs": event["validation"]}
        about["score"] = event["validation"][best] if best >= 0 else None
        progress.handle(about | {key: event[key] for key in shown})
        return
    about |= {"task": facts.order[max(job.arrival, 1) - 1], "cells": event["cells"]}  # those that were run
    about["seconds"] = sum(cell["seconds"] for cell in event["cells"])
    if job.kind == "before":
        progress.handle(about | {"event": "before"})
        return
    metrics = progress.metrics[name]
    about["growth"] = metrics.growth[job.arrival - 1] if len(metrics.growth) >= job.arrival else None
    about["forgetting"] = metrics.forgetting
    # A row of an isolated learner that is not as on the day of learning has ended the run in `keep`.
    about["verified"] = True if metrics.learner.keeps_task_weights else None
    progress.handle(about | {"event": "row"})
    if arrived(progress, job):
        end = {"arrival": job.arrival, "tasks": len(facts.order), "task": facts.order[job.arrival - 1]}
        progress.handle({"event": "arrival", **end, "seconds": time.perf_counter() - progress.started})
