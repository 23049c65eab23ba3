"""The pool: runs jobs as their needs are met, here or in worker processes, and tells what happens."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.execution.messages import Message
from stream.execution.workers import Inbox, Worker, Workers, end_all, start
from stream.storage.job import Job, JobId
from stream.storage.plain import plain

if TYPE_CHECKING:  # seconds to load, before workers start
    from stream.execution.workbench import Workbench

Emit = Callable[[Message], None]


class JobFailed(Exception):
    """A job could not be done; `type` is the name of the exception it ended with."""

    def __init__(self, job: str, type: str, message: str) -> None:
        super().__init__(f"{job}: {message}")
        self.job, self.type, self.message = job, type, message


def next_job(
    waiting: list[Job], results: Mapping[JobId, Any], worker: int = 0, owners: Mapping[str, int] | None = None
) -> Job | None:
    """The first waiting job, in plan order, all of whose needs have results.

    Args:
        owners: Worker of each learner whose fits stay with one, as far as there is one.
    """
    own = owners or {}
    return next(
        (
            job
            for job in waiting
            if (not job.worker_affinity or own.get(job.learner, worker) == worker)
            # The last need is the newest, so the likeliest to be missing.
            and all(need in results for need in reversed(job.needs))
        ),
        None,
    )


def run_here(jobs: tuple[Job, ...], results: dict[JobId, Any], bench: Workbench, emit: Emit) -> None:
    """Do all jobs in this process, in plan order.

    Args:
        results: What later jobs take of those that are done, by job id; receives the result of each, in whose place
            `emit` may put what is needed of it.

    Raises:
        JobFailed: A job ended with an exception.
    """
    from stream.execution.job import FAILURES, execute

    for job in jobs:
        emit({"kind": "start", "job": job.id, "worker": 0})

        def report(told: dict[str, object], job: Job = job) -> None:
            emit({"kind": "progress", "job": job.id, "worker": 0, "report": told})

        try:
            results[job.id] = execute(bench, job, {need: results[need] for need in job.needs}, report)
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
    """Do all jobs in `count` processes.

    Args:
        results: As for `run_here`, as plain JSON values.
        log: File for what workers print to standard error; gone after a good end at which it is empty.
        workers: Some that are there already, and get back those of a good end.

    Raises:
        JobFailed: A job ended with an exception, or its process died (out of memory, for one).
    """
    running: dict[int, Job] = {}
    owners: dict[str, int] = {}
    waiting = list(jobs)
    inbox: Inbox = queue.Queue()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as errors:
        count, crew, idle = min(count, len(jobs)), list[Worker](), list[int]()
        try:
            if workers is not None:
                crew += workers.take(count)
            while len(crew) < count:
                crew.append(start(errors))  # one by one: those there are must end if one cannot start
            for number, worker in enumerate(crew):
                worker.engage(number, inbox, str(log), setup)
            while waiting or running:
                number, message = inbox.get()
                if message is None:
                    what = running[number].id if number in running else "starting a worker"
                    raise JobFailed(what, "WorkerDied", f"a worker process ended (out of memory?); see {log}")
                if message["kind"] == "progress":
                    told = message.get("report", {})
                    emit({"kind": "progress", "job": JobId(message["job"]), "worker": number, "report": told})
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
                        continue  # there may be one that stays with another
                    if job.worker_affinity:
                        owners.setdefault(job.learner, free)
                    idle.remove(free)
                    waiting.remove(job)
                    running[free] = job
                    emit({"kind": "start", "job": job.id, "worker": free})
                    needed: dict[str, Any] = {need: results[need] for need in job.needs}
                    crew[free].tell({"job": plain(job), "results": needed})
            if workers is not None:
                ready = [crew[number] for number in idle]  # what the others still load may fail, and not in this run
                crew = [worker for worker in crew if worker not in ready]
                workers.give_back(ready)
        finally:
            end_all(crew)
            if workers is not None:
                errors.write(workers.told())
    if log.exists() and log.stat().st_size == 0:
        log.unlink()
