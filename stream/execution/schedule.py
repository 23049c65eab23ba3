"""Runs the jobs of a run, in this process or in worker processes. A job starts when the jobs that it needs are done."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stream.execution.messages import Message, WorkerMessage
from stream.execution.pending import AGAIN, JobFailed, Pending, Recovery
from stream.execution.workers import Inbox, Worker, Workers, end_all, start_worker
from stream.storage.fits import WORKER_DIED
from stream.storage.job import Job, JobId
from stream.storage.plain import plain

if TYPE_CHECKING:  # takes seconds to import, and workers should start before that
    from stream.execution.workbench import Workbench

Emit = Callable[[Message], None]


def run_here(
    jobs: tuple[Job, ...],
    results: dict[JobId, Any],
    workbench: Workbench,
    emit: Emit,
    recovery: Recovery | None = None,
) -> None:
    """Does all jobs in this process, in plan order; fits in packs together with later ones of their learner.

    Args:
        results: Results of the finished jobs, by job id. This function adds the result of each job; `emit` may replace
            it by the part that later jobs need.
        emit: Called with every message.
        recovery: Decides about jobs that need a damaged file of the store. None (default): they fail.

    Raises:
        JobFailed: An exception ended a job.
    """
    from stream.execution.job import FAILURES, EntryLost, execute_together
    from stream.execution.pack_job import JobError, goes_in_packs

    def report(job: Job) -> Callable[[dict[str, object]], None]:
        return lambda values: emit({"kind": "progress", "job": job.id, "worker": 0, "report": values})

    pending = Pending([*jobs], results, recovery)
    while (job := pending.next()) is not None:
        together, packed = [job], goes_in_packs(workbench, job)
        if packed:
            together += pending.also(partial(_in_pack_with, workbench, job.learner))
        needed = {need: results[need] for each in together for need in each.needs}
        for each in together:
            emit({"kind": "start", "job": each.id, "worker": 0})
        if packed:  # also a single one, whose result must not depend on how many there are
            ended = execute_together(workbench, [*together], needed, report)
        else:
            ended = _one(workbench, job, needed, report(job))
        with closing(ended):
            while together:
                try:
                    each, result = next(ended)
                except EntryLost as loss:
                    lost = loss.job or together[0]
                    pending.waiting[:0] = [each for each in together if each != lost]
                    emit({"kind": "notice", "text": pending.entry_lost(lost, loss.delta, str(loss), {})})
                    break
                except JobError as failure:
                    raise JobFailed(failure.job.id, type(failure.error).__name__, str(failure)) from failure
                except FAILURES as error:
                    raise JobFailed(together[0].id, type(error).__name__, str(error)) from error
                together.remove(each)
                results[each.id] = result
                emit({"kind": "done", "job": each.id, "worker": 0, "result": result})


def _one(
    workbench: Workbench, job: Job, needed: Mapping[JobId, Any], report: Callable[[dict[str, object]], None]
) -> Generator[tuple[Job, Any]]:
    from stream.execution.job import execute

    yield job, execute(workbench, job, needed, report)


def _in_pack_with(workbench: Workbench, learner: str, job: Job) -> bool:
    from stream.execution.pack_job import goes_in_packs

    return job.learner == learner and goes_in_packs(workbench, job)


def run_in_workers(
    jobs: tuple[Job, ...],
    results: dict[JobId, Any],
    setup: Mapping[str, Any],
    count: int,
    log: Path,
    emit: Emit,
    workers: Workers | None = None,
    recovery: Recovery | None = None,
) -> None:
    """Does all jobs in worker processes. A worker that ends is replaced, and its job given again, at most twice.

    Args:
        results: As for `run_here`, but as plain JSON values.
        setup: The `Setup` of the run as a plain JSON value.
        count: Number of processes; fewer are used if there are fewer jobs.
        log: File for the output of the workers. It is removed at the end if it is empty and no job failed.
        emit: Called with every message.
        workers: Workers that are already running. They are used first, and given back if no job failed. None (default)
            starts new ones.
        recovery: Decides about jobs that did not end well. None (default): they fail.

    Raises:
        JobFailed: An exception ended a job; or its process died each time (for example, because it had no memory left),
            and all jobs that do not need it are done.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as errors:
        pool = _Pool(Pending([*jobs], results, recovery), setup, errors, log, emit)
        try:
            pool.start(min(count, len(jobs)), workers)
            while pool.pending.waiting or pool.running:
                pool.take(*pool.inbox.get())
            pool.pending.check()
            if workers is not None:
                ready = [pool.active.pop(number) for number in pool.idle]  # the others still load, which may fail
                workers.give_back(ready)
        finally:
            end_all(pool.active.values())
            if workers is not None:
                errors.write(workers.read_errors())
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


class _Pool:
    """The workers of a call, by number, and what they do now."""

    def __init__(self, pending: Pending, setup: Mapping[str, Any], errors: IO[str], log: Path, emit: Emit) -> None:
        self.pending, self.setup, self.errors, self.log, self.emit = pending, setup, errors, log, emit
        self.inbox: Inbox = queue.Queue()
        self.count = 0  # number of workers while jobs wait
        self.active: dict[int, Worker] = {}
        self.running: dict[int, Job] = {}
        self.idle: set[int] = set()
        self.owners: dict[str, int] = {}  # number of the worker that has the state of a learner's trainer
        self.ended_early = 0  # workers that ended without a job since the last one was ready

    def start(self, count: int, workers: Workers | None) -> None:
        self.count = count
        self.active = dict(enumerate(workers.take(count) if workers is not None else ()))
        for number in self.active:
            self._assign_run(number)
        self._start_missing()

    def _start_missing(self) -> None:
        """Starts a worker for each number that has none."""
        for number in range(self.count):
            if number not in self.active:  # one by one: if one cannot start, the caller ends the others
                self.active[number] = start_worker(self.errors)
                self._assign_run(number)

    def take(self, number: int, message: WorkerMessage | None) -> None:
        """Takes a message of a worker, and gives jobs to the workers that have none. If more jobs wait, it replaces
        the workers that ended; one may have ended when none waited."""
        if message is None:
            self._lose(number)
        elif message["kind"] == "progress":
            report = message.get("report", {})
            self.emit({"kind": "progress", "job": JobId(message["job"]), "worker": number, "report": report})
            return
        elif message["kind"] == "failed":
            raise JobFailed(message["job"], message["type"], message["message"])
        else:
            if message["kind"] == "ready":
                self.ended_early = 0
            else:
                self._ended(number, self.running.pop(number), message)
            self.idle.add(number)
        for free in sorted(self.idle):
            # None: another idle worker may own the learner of a waiting job.
            if (job := self.pending.next(free, self.owners)) is not None:
                self._give(free, job)
        if self.pending.waiting:
            self._start_missing()

    def _ended(self, number: int, job: Job, message: WorkerMessage) -> None:
        if message["kind"] == "lost":
            text = self.pending.entry_lost(job, message["delta"], message["message"], self.running)
            self.emit({"kind": "notice", "text": text})
        else:
            self._done(number, job, message["result"])

    def _done(self, number: int, job: Job, result: Any) -> None:
        self.pending.results[job.id] = result
        self.emit({"kind": "done", "job": job.id, "worker": number, "result": result})

    def _give(self, number: int, job: Job) -> None:
        if job.worker_affinity:
            self.owners.setdefault(job.learner, number)
        self.idle.remove(number)
        self.running[number] = job
        self.emit({"kind": "start", "job": job.id, "worker": number})
        needed: dict[str, Any] = {need: self.pending.results[need] for need in job.needs}
        self.active[number].send({"job": plain(job), "results": needed})

    def _lose(self, number: int) -> None:
        """Takes the end of a worker. Its job is given again, and any worker may do the next fit of its learners."""
        self.idle.discard(number)
        self.owners = {learner: owner for learner, owner in self.owners.items() if owner != number}
        self.active.pop(number).end()
        if (job := self.running.pop(number, None)) is not None:
            text, result = self.pending.worker_died(job, str(self.log))
            self.emit({"kind": "notice", "text": text})
            if result is not None:
                self._done(number, job, result)
        else:
            self.ended_early += 1
            if self.ended_early > AGAIN:
                why = f"{self.ended_early} worker processes ended before their first job (out of memory?)"
                raise JobFailed("starting a worker", WORKER_DIED, f"{why}; see {self.log}")

    def _assign_run(self, number: int) -> None:
        self.active[number].assign_run(number, self.inbox, str(self.log), self.setup)
