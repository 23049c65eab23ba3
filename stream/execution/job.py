"""Executes one job. The command's own process and its workers use the same code."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence

from learners.device import no_memory, recover
from learners.training.result import Report
from learners.training.trainer import Nondeterminism
from stream.execution.activation_cache import ActivationsChanged
from stream.execution.fit_job import execute_fit
from stream.execution.pack_job import JobError, execute_in_packs
from stream.execution.result import JobResult, Needed, Scored
from stream.execution.row_job import score_before, score_row
from stream.execution.search_job import execute_search
from stream.execution.workbench import BackboneChanged, Workbench
from stream.storage.job import Job, JobId
from stream.storage.store import DamagedEntry
from tasks.errors import InputError

# Exceptions that a job may raise; any other one is a defect. A fit that diverges is a result: the stream continues.
FAILURES = (BackboneChanged, ActivationsChanged, Nondeterminism, InputError, OSError, MemoryError)


class EntryLost(Exception):
    """A job needs a file of the store that is missing or damaged. A damaged one was put aside.

    Attributes:
        delta: Content id of the Delta in the file; None for the record of a fit.
        job: The job that needs it, if it was one of several. Default: None.
    """

    def __init__(self, message: str, delta: str | None, job: Job | None = None) -> None:
        super().__init__(message)
        self.delta, self.job = delta, job


def execute(workbench: Workbench, job: Job, results: Mapping[JobId, Needed], report: Report) -> JobResult:
    """Does one job.

    Args:
        results: Results of the jobs that it needs, by id.
        report: Called during a fit with its progress.

    Raises:
        BackboneChanged: A tensor of the backbone changed; the error names the tensor.
        ActivationsChanged: Cached activations changed in memory.
        Nondeterminism: A trainer does not repeat its own earlier fit; see `learners.training.trainer.Trainer.fit`.
        EntryLost: A file of the store is missing or damaged, and was put aside.
    """
    try:
        return _execute(workbench, job, results, report)
    except DamagedEntry as damage:
        raise _lost(workbench, damage) from damage
    except RuntimeError as error:
        recover(error, workbench.setup.device)
        longest = max(workbench.data(task).max_length for task in job.tasks)
        raise MemoryError(no_memory(workbench.setup.device, None, longest)) from None


def execute_together(
    workbench: Workbench, jobs: Sequence[Job], results: Mapping[JobId, Needed], report: Callable[[Job], Report]
) -> Generator[tuple[Job, JobResult]]:
    """Does jobs of one learner whose fits can share passes, and yields each with its result as soon as it ends.

    Args:
        report: Gives what is called with the progress of a job.

    Raises:
        BackboneChanged, EntryLost: As for `execute`.
        JobError: Another failure of one of the jobs.
    """
    try:
        yield from execute_in_packs(workbench, jobs, results, report)
    except JobError as failure:
        if isinstance(failure.error, DamagedEntry):
            raise _lost(workbench, failure.error, failure.job) from failure
        if isinstance(failure.error, FAILURES):
            raise
        raise failure.error from None


def _lost(workbench: Workbench, damage: DamagedEntry, job: Job | None = None) -> EntryLost:
    """Puts a damaged file of the store aside, and returns what to raise."""
    aside = workbench.store.put_aside(damage)
    where = f"{damage.path}, put aside as {aside}" if aside else f"{damage.path}, which is missing"
    found = f" ({damage.found})" if damage.found and aside else ""
    return EntryLost(f"{damage.what}{found}: {where}", damage.delta, job)


def _execute(workbench: Workbench, job: Job, results: Mapping[JobId, Needed], report: Report) -> JobResult:
    learner = workbench.learners[job.learner]
    if job.kind == "search":
        return execute_search(workbench, job, learner, results, report)
    if job.kind == "fit":
        return execute_fit(workbench, job, learner, results, report)
    if job.kind == "before":
        cells = score_before(workbench, job, learner)
    else:
        cells = score_row(workbench, job, learner, results)
    learned = {fit.task for fit in results.values() if fit is not None}
    # Initial Deltas and Deltas stored as a difference start from the float32 weights, so check these too.
    workbench.check_backbone(job, copies=learner.difference or not learned.issuperset(job.tasks))
    return Scored(tuple(cells))
