"""The jobs of a call that have no result yet, in plan order; and what is done about a job that did not end well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from stream.storage.fits import WORKER_DIED
from stream.storage.job import Job, JobId

AGAIN = 2  # most times that a job is given again after its worker ended, and because one file of the store is damaged


class JobFailed(Exception):
    """A job failed. `job` is its id, `type` the name of the exception that ended it."""

    def __init__(self, job: str, type: str, message: str) -> None:
        super().__init__(f"{job}: {message}")
        self.job, self.type, self.message = job, type, message


class Recovery(Protocol):
    """What the run decides about jobs that did not end well."""

    def fit_of(self, learner: str, delta: str) -> Job | None:
        """Returns the finished fit of a learner with a Delta, which must be done again; None if there is none."""

    def failed_fit(self, job: Job, why: str) -> Any | None:
        """Returns the result of a fit that cannot be done, so that the stream continues without its task; None if the
        job is no fit."""


@dataclass(eq=False)
class Pending:
    """The jobs that have not started, and the results so far.

    Attributes:
        waiting: Jobs that have not started, in plan order.
        results: Results by job id. The engine decides how they are held.
        recovery: Decides about jobs that did not end well. None (default): they fail.
        deaths: How often the worker of each job ended.
        losses: How often each job found a file missing or damaged: the Delta of this id; None: the record of a fit.
        failed: The jobs that could not be done. Jobs that need them are dropped.
    """

    waiting: list[Job]
    results: dict[JobId, Any]
    recovery: Recovery | None = None
    deaths: Counter[JobId] = field(default_factory=Counter)
    losses: Counter[tuple[JobId, str | None]] = field(default_factory=Counter)
    failed: list[JobFailed] = field(default_factory=list)

    def next(self, worker: int = 0, owners: Mapping[str, int] | None = None) -> Job | None:
        """Takes the first job that a worker can do now; None if there is none. See `next_job`."""
        if (job := next_job(self.waiting, self.results, worker, owners)) is not None:
            self.waiting.remove(job)
        return job

    def also(self, suits: Callable[[Job], bool]) -> list[Job]:
        """Takes all further jobs that suit and can be done now, in plan order."""
        ready = [job for job in self.waiting if suits(job) and all(need in self.results for need in job.needs)]
        self.waiting = [job for job in self.waiting if job not in ready]
        return ready

    def entry_lost(self, job: Job, delta: str | None, message: str, running: Mapping[int, Job]) -> str:
        """Gives a job again that needs a missing or damaged file of the store, after the fit that makes this file.

        Args:
            delta: Content id of the Delta in the file; None for the record of a fit, which the job itself makes.
            message: What happened.
            running: The jobs that workers do now.

        Returns:
            A notice for the user.

        Raises:
            JobFailed: This file was made again too often, or no fit makes it.
        """
        self.losses[job.id, delta] += 1
        if self.losses[job.id, delta] > AGAIN:
            why = f"{message}; this file was made again {AGAIN} times before: is the disk damaged?"
            raise JobFailed(job.id, "EntryLost", why)
        self.waiting.insert(0, job)
        if delta is None:
            return f"{message}; {job.id} is done again"
        fit = self.recovery.fit_of(job.learner, delta) if self.recovery else None
        if fit is None:
            raise JobFailed(job.id, "EntryLost", message)
        if fit.id not in job.needs:
            self.waiting[0] = replace(job, needs=(fit.id, *job.needs))
        self.results.pop(fit.id, None)
        if fit.id not in {each.id for each in (*self.waiting, *running.values())}:
            self.waiting.insert(0, fit)
        return f"{message}; {fit.id} is done again"

    def worker_died(self, job: Job, log: str) -> tuple[str, Any | None]:
        """Gives a job again whose worker ended. After `AGAIN` times it fails: a fit as one that diverged does; without
        another job, all jobs that need it are dropped.

        Returns:
            A notice for the user, and the result of a failed fit; None if there is none.
        """
        self.deaths[job.id] += 1
        if self.deaths[job.id] <= AGAIN:
            self.waiting.insert(0, job)
            return f"the worker of {job.id} ended (out of memory?), see {log}; another one does it again", None
        why = f"its worker ended {AGAIN + 1} times (out of memory?), see {log}"
        result = self.recovery.failed_fit(job, why) if self.recovery else None
        if result is None:
            self._drop(JobFailed(job.id, WORKER_DIED, why))
        return f"{job.id} failed: {why}", result

    def _drop(self, failure: JobFailed) -> None:
        self.failed.append(failure)
        gone, kept = {failure.job}, []
        for job in self.waiting:  # in plan order, so each job comes after those that it needs
            if gone.isdisjoint(job.needs):
                kept.append(job)
            else:
                gone.add(job.id)
        self.waiting = kept

    def check(self) -> None:
        """Raises the failure of the jobs that could not be done, if there are any.

        Raises:
            JobFailed: The first of them. Its message names the others.
        """
        if self.failed:
            first, *others = self.failed
            more = f"; also failed: {', '.join(each.job for each in others)}" if others else ""
            raise JobFailed(first.job, first.type, f"{first.message}{more}")


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
