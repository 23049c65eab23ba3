"""Runs the jobs of a run, in this process or in worker processes. A job starts when the jobs that it needs are done."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.execution.messages import Message
from stream.execution.workers import Inbox, Worker, Workers, end_all, start_worker
from stream.storage.job import Job, JobId
from stream.storage.plain import plain

if TYPE_CHECKING:  # takes seconds to import, and workers should start before that
    from stream.execution.workbench import Workbench

Emit = Callable[[Message], None]


class JobFailed(Exception):
    """A job failed. `job` is its id, `type` the name of the exception that ended it."""

    def __init__(self, job: str, type: str, message: str) -> None:
        super().__init__(f"{job}: {message}")
        self.job, self.type, self.message = job, type, message


def next_job(
    waiting: list[Job], results: Mapping[JobId, Any], worker: int = 0, owners: Mapping[str, int] | None = None
) -> Job | None:
    """Returns the first waiting job that a worker can do now; None if there is none.

    Args:
        waiting: Jobs that have not started, in plan order.
        results: Results by job id; a job can start if all its needs have one.
        worker: Number of the worker. Default: 0.
        owners: For learners whose fits must stay in one worker: number of that worker, by learner. Default: none yet.
    """
    owner = owners or {}
    return next(
        (
            job
            for job in waiting
            if (not job.worker_affinity or owner.get(job.learner, worker) == worker)
            # In reverse order: the last need is the newest, so most likely the missing one.
            and all(need in results for need in reversed(job.needs))
        ),
        None,
    )


def run_here(jobs: tuple[Job, ...], results: dict[JobId, Any], workbench: Workbench, emit: Emit) -> None:
    """Does all jobs in this process, in plan order.

    Args:
        results: Results of the finished jobs, by job id. This function adds the result of each job; `emit` may replace
            it by the part that later jobs need.
        emit: Called with every message.

    Raises:
        JobFailed: An exception ended a job.
    """
    from stream.execution.job import FAILURES, execute

    for job in jobs:
        emit({"kind": "start", "job": job.id, "worker": 0})

        def report(values: dict[str, object], job: Job = job) -> None:
            emit({"kind": "progress", "job": job.id, "worker": 0, "report": values})

        try:
            results[job.id] = execute(workbench, job, {need: results[need] for need in job.needs}, report)
        except FAILURES as error:
            raise JobFailed(job.id, type(error).__name__, str(error)) from error
        emit({"kind": "done", "job": job.id, "worker": 0, "result": results[job.id]})


def run_in_workers(
    jobs: tuple[Job, ...],
    results: dict[JobId, Any],
    setup: Mapping[str, Any],
    count: int,
    log: Path,
    emit: Emit,
    workers: Workers | None = None,
) -> None:
    """Does all jobs in worker processes.

    Args:
        results: As for `run_here`, but as plain JSON values.
        setup: The `Setup` of the run as a plain JSON value.
        count: Number of processes; fewer are used if there are fewer jobs.
        log: File for the output of the workers. It is removed at the end if it is empty and no job failed.
        emit: Called with every message.
        workers: Workers that are already running. They are used first, and given back if no job failed. None (default)
            starts new ones.

    Raises:
        JobFailed: An exception ended a job, or its process died (for example, because it had no memory left).
    """
    running: dict[int, Job] = {}
    owners: dict[str, int] = {}
    waiting = list(jobs)
    inbox: Inbox = queue.Queue()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as errors:
        count, active, idle = min(count, len(jobs)), list[Worker](), list[int]()
        try:
            if workers is not None:
                active += workers.take(count)
            while len(active) < count:
                active.append(start_worker(errors))  # one by one: if one cannot start, `finally` ends the others
            for number, worker in enumerate(active):
                worker.assign_run(number, inbox, str(log), setup)
            while waiting or running:
                number, message = inbox.get()
                if message is None:
                    what = running[number].id if number in running else "starting a worker"
                    raise JobFailed(what, "WorkerDied", f"a worker process ended (out of memory?); see {log}")
                if message["kind"] == "progress":
                    report = message.get("report", {})
                    emit({"kind": "progress", "job": JobId(message["job"]), "worker": number, "report": report})
                    continue
                if message["kind"] == "failed":
                    raise JobFailed(message["job"], message["type"], message["message"])
                if message["kind"] == "done":
                    job_id = JobId(message["job"])
                    results[job_id] = message["result"]
                    del running[number]
                    emit({"kind": "done", "job": job_id, "worker": number, "result": message["result"]})
                idle.append(number)
                for free in sorted(idle):
                    job = next_job(waiting, results, free, owners)
                    if job is None:
                        continue  # another idle worker may own the learner of a waiting job
                    if job.worker_affinity:
                        owners.setdefault(job.learner, free)
                    idle.remove(free)
                    waiting.remove(job)
                    running[free] = job
                    emit({"kind": "start", "job": job.id, "worker": free})
                    needed: dict[str, Any] = {need: results[need] for need in job.needs}
                    active[free].send({"job": plain(job), "results": needed})
            if workers is not None:
                ready = [active[number] for number in idle]  # the others are still loading, and loading may fail
                active = [worker for worker in active if worker not in ready]
                workers.give_back(ready)
        finally:
            end_all(active)
            if workers is not None:
                errors.write(workers.read_errors())
    if log.exists() and log.stat().st_size == 0:
        log.unlink()
