"""The engine: a prepared run becomes jobs, their results become events of the ledger, events become results.

The same call continues an interrupted run: a job whose event is in the ledger under an equal key is not done again, and
a fit whose recipe is in the store is not fitted again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream.config import RunConfig, check_same_run, config_toml
from stream.execute import open_bench
from stream.failure import RunFailed
from stream.files import write_atomic, write_json
from stream.ledger import Ledger, open_ledger
from stream.matrix import as_array, to_csv
from stream.metrics import compute_all
from stream.plan import Job, plan_jobs
from stream.pool import JobFailed, Message, run_here, run_in_workers
from stream.prepare import Prepared, prepare
from stream.results import Facts, growth_of, matrix_of, results, violations_of
from stream.store import Store

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

    @property
    def folder(self) -> Path:
        return self.prepared.config.out_folder


def run_stream(config: RunConfig, origins: Mapping[str, str], handle: Handle = lambda event: None) -> dict[str, Any]:
    """Run or continue a stream.

    Args:
        origins: Where each setting came from, for config.toml.
        handle: Called with every event; see `stream.report` for those that are shown.

    Returns:
        The results, as written to OUT/results.json.

    Raises:
        InputError, InputErrors: Bad settings or data.
        RunFailed: A job failed, or a task was not what it was when learned.
        KeyboardInterrupt: After the results so far were written.
    """
    check_same_run(config.out_folder / "config.toml", config)
    prepared = prepare(config, lambda text: handle({"event": "notice", "message": text}))
    ledger = open_ledger(config.out_folder / "ledger.jsonl")
    write_atomic(config.out_folder / "config.toml", config_toml(config, origins))
    jobs = plan_jobs(prepared.stream, prepared.learners, config.evaluate, config.seed)
    progress = Progress(prepared, prepared.facts(), ledger, handle, {job.id: job for job in jobs})
    held = replay(ledger, prepared, jobs)
    handle(_opening(progress, len(held)))
    for job in jobs:
        if job.id in held:
            progress.events[job.id] = held[job.id]
            _show(progress, job)
    todo = tuple(job for job in jobs if job.id not in progress.events)
    try:
        _work(progress, todo)
    except JobFailed as failure:
        _write(progress)
        ledger.append({"event": "failed", "job": failure.job, "type": failure.type, "message": failure.message})
        raise RunFailed(_failed(progress, failure)) from failure
    except KeyboardInterrupt:
        _write(progress)
        raise
    document = _write(progress)
    seconds = time.perf_counter() - progress.started
    ledger.append({"event": "end", "seconds": seconds})
    handle({"event": "end", "seconds": seconds, "out": str(config.out_folder)})
    return document


def _failed(progress: Progress, failure: JobFailed) -> str:
    job = progress.jobs.get(failure.job)
    where = failure.job if job is None else f"learner {job.learner}, task {job.tasks[-1]}, arrival {job.arrival}"
    return f"{failure.type}: {where}: {failure.message}"


def replay(ledger: Ledger, prepared: Prepared, jobs: tuple[Job, ...]) -> dict[str, dict[str, Any]]:
    """Events of the ledger that still hold: under an equal key, with a Delta that is still in the store."""
    store = Store(prepared.config.store_folder)
    written = {event["key"]: event for event in ledger.events if "key" in event}
    held: dict[str, dict[str, Any]] = {}
    for job in jobs:
        event = written.get(prepared.key(job))
        if event is None or any(need not in held for need in job.needs):
            continue
        if job.kind == "fit" and not store.delta_path(event["delta"]).exists():
            continue
        held[job.id] = event
    return held


def _work(progress: Progress, todo: tuple[Job, ...]) -> None:
    """Do the jobs that are left, in workers or here, and keep each result as it comes."""
    config, prepared = progress.prepared.config, progress.prepared
    available = dict(progress.events)
    workers = min(config.workers or _cores(), len(prepared.learners))

    def emit(message: Message) -> None:
        job = progress.jobs[message["job"]]
        if message["kind"] == "done":
            _keep(progress, job, message["result"])
            if _arrived(progress, job):
                _write(progress)
            _show(progress, job)
        elif message["kind"] == "start":
            event = {"event": "start", "job": job.id, "kind": job.kind, "learner": job.learner, "task": job.tasks[-1]}
            progress.handle({**event, "arrival": job.arrival, "tasks": len(job.tasks), "worker": message["worker"]})
        else:
            about = {"event": "progress", "learner": job.learner, "task": job.tasks[-1]}
            progress.handle({**{k: v for k, v in message.items() if k != "kind"}, **about})

    if not todo:
        return
    if workers == 1:
        run_here(todo, available, open_bench(prepared.setup(), prepared.backbone), emit)
    else:
        log = progress.folder / "workers.log"
        run_in_workers(todo, available, prepared.setup().as_dict(), workers, log, emit)


def _keep(progress: Progress, job: Job, result: dict[str, Any]) -> None:
    """Write a job's event to the ledger. Cells nobody had to run are certified here.

    Raises:
        JobFailed: A cell of an isolated learner whose logits are not those of the day the task was learned.
    """
    event = {"event": job.kind, "learner": job.learner, "arrival": job.arrival, "key": progress.prepared.key(job)}
    if job.kind == "fit":
        kept = {k: v for k, v in result.items() if k != "recipe"}
        event |= {**kept, "task": job.tasks[0]}
    else:
        event["cells"] = _row(progress, job, result["cells"])
    progress.events[job.id] = event
    progress.ledger.append(event)
    violations = violations_of(progress.facts, job.learner, progress.events)
    if violations:
        found = violations[0]
        message = (
            f"task {found['task']} no longer gives the logits of the day it was learned, though backbone and Delta are "
            f"unchanged: this machine's arithmetic is not repeatable; expected {found['expected'][:16]}, "
            f"found {found['found'][:16]}"
        )
        progress.handle({"event": "violation", "learner": job.learner, "task": found["task"],
                         "arrival": found["arrival"], "message": message})  # fmt: skip
        raise JobFailed(job.id, "Nondeterminism", message)


def _row(progress: Progress, job: Job, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The row's cells with their provenance, in order of arrival."""
    isolated = progress.prepared.learners[job.learner].sharing == "isolated"
    audited = progress.prepared.config.evaluate == "audited" and isolated
    ran = {cell["task"]: cell for cell in cells}
    order = progress.prepared.stream.order
    row = []
    for arrival, task in enumerate(order, start=1):
        first = next((c for c in progress.events.get(f"evaluate/{job.learner}/{arrival}", {}).get("cells", ())
                      if c["task"] == task), None)  # fmt: skip
        if task in ran:
            again = audited and first is not None
            row.append({**ran[task], "provenance": "audited" if again else "measured"})
        elif audited and job.kind == "evaluate" and arrival < job.arrival:
            delta = progress.events[f"fit/{job.learner}/{arrival}"]["delta"]
            if first is None or first["delta"] != delta:  # keys make this impossible; a proof must not rest on that
                raise JobFailed(job.id, "Uncertifiable", f"no measured cell of task {task} with Delta {delta[:16]}")
            row.append({**first, "provenance": "certified", "seconds": 0.0})
    return row


def _show(progress: Progress, job: Job) -> None:
    """Tell the view of a finished job."""
    event, facts, name = progress.events[job.id], progress.facts, job.learner
    if job.kind == "fit":
        best = event["best"]
        progress.handle({
            "event": "fit", "job": job.id, "learner": name, "task": job.tasks[0], "arrival": job.arrival,
            "score": event["validation"][best] if best >= 0 else None, "epochs": event["validation"],
            **{key: event[key] for key in ("parameters", "head_parameters", "bytes", "seconds", "cached", "delta")},
        })  # fmt: skip
        return
    shown: dict[str, Any] = {"event": "before" if job.kind == "before" else "row", "job": job.id, "learner": name}
    shown |= {"arrival": job.arrival, "task": facts.order[max(job.arrival, 1) - 1], "cells": event["cells"]}
    if job.kind != "before":
        matrix = matrix_of(facts.order, name, progress.events)
        grown = growth_of(facts, name, progress.events, heads=True)
        shown["growth"] = grown[job.arrival - 1] if len(grown) >= job.arrival else None
        shown["forgetting"] = compute_all(matrix)["forgetting_chaudhry"] if len(as_array(matrix)) > 2 else None
        isolated = progress.prepared.learners[name].sharing == "isolated"
        shown["verified"] = not violations_of(facts, name, progress.events) if isolated else None
    shown["seconds"] = sum(cell["seconds"] for cell in event["cells"])
    progress.handle(shown)
    if _arrived(progress, job):
        elapsed = time.perf_counter() - progress.started
        progress.handle({"event": "arrival", "arrival": job.arrival, "tasks": len(facts.order),
                         "task": facts.order[job.arrival - 1], "seconds": elapsed})  # fmt: skip


def _arrived(progress: Progress, job: Job) -> bool:
    """Whether this job's row was the last of its arrival."""
    rows = (f"evaluate/{learner}/{job.arrival}" for learner in progress.prepared.learners)
    return job.kind == "evaluate" and all(row in progress.events for row in rows)


def _write(progress: Progress) -> dict[str, Any]:
    """Write results.json and each R.csv, as far as the run has come."""
    document = results(progress.facts, progress.events)
    for name in progress.prepared.learners:
        write_atomic(progress.folder / name / "R.csv", to_csv(matrix_of(progress.facts.order, name, progress.events)))
    write_json(progress.folder / "results.json", document, indent=1)
    return document


def _opening(progress: Progress, held: int) -> dict[str, Any]:
    facts = progress.facts
    return {
        "event": "run",
        "suite": facts.suite,
        "order": list(facts.order),
        "learners": {name: {"sharing": learner.sharing} for name, learner in facts.learners.items()},
        "backbone": facts.backbone,
        "jobs": len(progress.jobs),
        "cached": held,
        "seed": facts.seed,
        "out": str(progress.folder),
        "settings": facts.settings,
    }


def _cores() -> int:

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
