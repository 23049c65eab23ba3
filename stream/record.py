"""What a finished job leaves: an event of the ledger, with the provenance of every cell, and what a view is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.account import account
from stream.ledger import Ledger
from stream.metrics import compute_all
from stream.plan import Job
from stream.pool import JobFailed
from stream.prepare import Prepared
from stream.results import Facts, matrix_of, violations_of

Handle = Callable[[dict[str, Any]], None]


@dataclass(eq=False)
class Progress:
    """State of a run under way: the events of finished jobs by job id, and whom to tell."""

    prepared: Prepared
    facts: Facts
    ledger: Ledger
    handle: Handle
    jobs: Mapping[str, Job]
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)


def keep(progress: Progress, job: Job, result: dict[str, Any]) -> None:
    """Write a job's event to the ledger. Cells nobody had to run are certified here.

    Raises:
        JobFailed: A cell of an isolated learner whose logits are not those of the day the task was learned. The ledger
            then says so, and the same command does the row again.
    """
    event = {"event": job.kind, "learner": job.learner, "arrival": job.arrival, "key": progress.prepared.key(job)}
    if job.kind == "fit":
        event |= {**{k: v for k, v in result.items() if k != "recipe"}, "task": job.tasks[0]}
    else:
        event["cells"] = row(progress, job, result["cells"])
    progress.events[job.id] = event
    violations = [] if job.kind == "fit" else violations_of(progress.facts, job.learner, progress.events)
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


def row(progress: Progress, job: Job, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The row's cells with their provenance, in order of arrival."""
    isolated = progress.prepared.learners[job.learner].sharing == "isolated"
    audited = progress.prepared.config.evaluate == "audited" and isolated
    ran = {cell["task"]: cell for cell in cells}
    cells = []
    for arrival, task in enumerate(progress.facts.order, start=1):
        first = measured_cell(progress, job.learner, arrival, task)
        if task in ran:
            cells.append({**ran[task], "provenance": "audited" if audited and first is not None else "measured"})
        elif audited and job.kind == "evaluate" and arrival < job.arrival:
            delta = progress.events[f"fit/{job.learner}/{arrival}"]["delta"]
            if first is None or first["delta"] != delta:  # keys make this impossible; a proof must not rest on that
                raise JobFailed(job.id, "Uncertifiable", f"no measured cell of task {task} with Delta {delta[:16]}")
            cells.append({**first, "provenance": "certified", "seconds": 0.0})
    return cells


def measured_cell(progress: Progress, learner: str, arrival: int, task: str) -> dict[str, Any] | None:
    """The cell of the day a task arrived, or None before that day."""
    cells = progress.events.get(f"evaluate/{learner}/{arrival}", {}).get("cells", ())
    return next((cell for cell in cells if cell["task"] == task), None)


def arrived(progress: Progress, job: Job) -> bool:
    """Whether this job's row was the last of its arrival."""
    rows = (f"evaluate/{learner}/{job.arrival}" for learner in progress.prepared.learners)
    return job.kind == "evaluate" and all(row in progress.events for row in rows)


def show(progress: Progress, job: Job) -> None:
    """Tell the view of a finished job."""
    event, facts, name = progress.events[job.id], progress.facts, job.learner
    about: dict[str, Any] = {"job": job.id, "learner": name, "arrival": job.arrival}
    if job.kind == "fit":
        best, shown = event["best"], ("parameters", "head_parameters", "bytes", "seconds", "cached", "delta")
        about |= {"event": "fit", "task": job.tasks[0], "epochs": event["validation"]}
        about["score"] = event["validation"][best] if best >= 0 else None
        progress.handle(about | {key: event[key] for key in shown})
        return
    about |= {"task": facts.order[max(job.arrival, 1) - 1], "cells": event["cells"]}
    about["seconds"] = sum(cell["seconds"] for cell in event["cells"])
    if job.kind == "before":
        progress.handle(about | {"event": "before"})
        return
    learner = progress.prepared.learners[name]
    entries = account(facts.order, name, learner, facts.backbone["parameters"], progress.events)
    metrics = compute_all(matrix_of(facts.order, name, progress.events))
    about["growth"] = entries[job.arrival - 1]["growth"] if len(entries) >= job.arrival else None
    about["forgetting"] = metrics["forgetting_chaudhry"]
    about["verified"] = True if learner.sharing == "isolated" else None  # a row that is not ends the run in `keep`
    progress.handle(about | {"event": "row"})
    if arrived(progress, job):
        end = {"arrival": job.arrival, "tasks": len(facts.order), "task": facts.order[job.arrival - 1]}
        progress.handle({"event": "arrival", **end, "seconds": time.perf_counter() - progress.started})
