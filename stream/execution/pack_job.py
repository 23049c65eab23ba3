"""Fit and search jobs of one learner in packs: their fits go through the encoder together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from learners.device import no_memory
from learners.specification.learner import Learner
from learners.training.divergence import Diverged
from learners.training.pack import Ended, fit_pack, kind_of
from learners.training.result import OutOfMemory, Report, Request
from learners.training.trainer import Trained
from stream.execution.evaluate_job import scorer
from stream.execution.fit_job import diverged, failed_fit, in_pack, kept_fit, put_in_store
from stream.execution.fit_recipe import paused_state, recipe_in
from stream.execution.memory import reset_peak_memory
from stream.execution.result import Fitted, JobResult, Needed
from stream.execution.search_job import tried
from stream.execution.trial_job import trial_of
from stream.execution.workbench import Workbench
from stream.storage.fits import OUT_OF_MEMORY, FailedFit, Failure, FitResult, Recipe
from stream.storage.job import Job, JobId
from stream.storage.trials import Trial


@dataclass(frozen=True, eq=False)
class Planned:
    """A fit that a job asks for.

    Attributes:
        learner: The learner that is fitted: of a learner with alternatives, one of these.
        trial: What is fitted of a learner with alternatives; None for other learners.
    """

    job: Job
    learner: Learner
    trial: Trial | None
    recipe: Recipe

    def result(self, fit: FitResult | FailedFit, cached: bool) -> JobResult:
        """Returns the result of the job."""
        fitted = Fitted(self.recipe.id, fit, cached)
        return fitted if self.trial is None else tried(self.job, self.trial, fitted)


def goes_in_packs(workbench: Workbench, job: Job) -> bool:
    """Whether a job fits something that may share passes with fits of other jobs of its learner.

    The fit of a learner with alternatives keeps what a trial has fitted. If that is not in the store, it is fitted by
    itself, in a pack too (`stream.execution.fit_job.train`).
    """
    if workbench.setup.pack == 1 or job.kind not in ("fit", "search"):
        return False
    learner = workbench.learners[job.learner]
    return in_pack(workbench, learner) and (job.kind == "search" or learner.selection is None)


def execute_in_packs(
    workbench: Workbench,
    jobs: Sequence[Job],
    results: Mapping[JobId, Needed],
    report: Callable[[Job], Report],
) -> Iterator[tuple[Job, JobResult]]:
    """Does jobs for which `goes_in_packs` holds, and yields each with its result as soon as it ends.

    Args:
        jobs: Jobs of one learner.
        results: Results of the jobs that they need, by id.
        report: Gives what is called with the progress of a job.

    Raises:
        JobError: An exception that belongs to one of the jobs.
        BackboneChanged: As for `stream.execution.job.execute`.
    """
    planned = [_planned(workbench, job, results) for job in jobs]

    def kind(each: Planned) -> str:
        return repr(kind_of(each.learner))

    for _, group in groupby(sorted(planned, key=kind), key=kind):
        yield from _one_kind(workbench, [*group], report)


class JobError(Exception):
    """An exception, `error`, that belongs to one job of several."""

    def __init__(self, job: Job, error: Exception) -> None:
        super().__init__(str(error))
        self.job, self.error = job, error


@contextmanager
def _for(job: Job) -> Iterator[None]:
    """Says which job an exception belongs to."""
    try:
        yield
    except Exception as error:
        raise JobError(job, error) from error


def _planned(workbench: Workbench, job: Job, results: Mapping[JobId, Needed]) -> Planned:
    learner, trial = workbench.learners[job.learner], None
    with _for(job):
        if learner.selection is not None:
            trial = trial_of(job, learner.selection, workbench.setup.seed, results)
            learner = learner.selection[trial.candidate].learner
        return Planned(job, learner, trial, recipe_in(workbench, job, learner, None, (), trial))


def _one_kind(
    workbench: Workbench, planned: Sequence[Planned], report: Callable[[Job], Report]
) -> Iterator[tuple[Job, JobResult]]:
    """Takes fits of one kind from the store, and does the others in a pack."""
    store = workbench.store
    waiting: dict[str, Planned] = {}
    again: list[Planned] = []  # with a recipe that another job has too
    with store.sole_fitter(*(each.recipe.id for each in planned)) as done:
        for each in planned:
            with _for(each.job):
                stored = store.get_fit(each.recipe.id)
            if stored is not None:
                done(each.recipe.id)
                yield each.job, each.result(stored, cached=True)
            elif each.recipe.id in waiting:
                again.append(each)
            else:
                waiting[each.recipe.id] = each
        fits = sorted(waiting.values(), key=lambda each: -_length(workbench, each))  # at the end no long one is alone
        reset_peak_memory()
        requests = (_request(workbench, each, report) for each in fits)
        for number, outcome in fit_pack(workbench.backbone, requests, workbench.setup.pack):
            ended = fits[number]
            with _for(ended.job):
                kept = _kept(workbench, ended, outcome)
            done(ended.recipe.id)
            yield ended.job, ended.result(kept, cached=False)
    if again:
        yield from _one_kind(workbench, again, report)


def _length(workbench: Workbench, planned: Planned) -> int:
    """Returns the number of rows that a fit trains on until it ends or pauses, if it does not stop early."""
    with _for(planned.job):
        training = planned.learner.training
        return (planned.recipe.until or training.epochs) * len(workbench.data(planned.job.tasks[0]).train)


def _request(workbench: Workbench, planned: Planned, report: Callable[[Job], Report]) -> Request:
    with _for(planned.job):
        data = workbench.data(planned.job.tasks[0])
        return Request(
            learner=planned.learner,
            data=data,
            score=scorer(data.task),
            seed=planned.recipe.seed,
            report=report(planned.job),
            until=planned.recipe.until,
            state=paused_state(workbench, planned.recipe),
        )


def _kept(workbench: Workbench, planned: Planned, outcome: Ended) -> FitResult | FailedFit:
    """Puts a fit into the store, or the reason why it failed."""
    if isinstance(outcome, OutOfMemory):
        setup = workbench.setup
        message = no_memory(setup.device, outcome.rows, outcome.length)
        why = Failure(type=OUT_OF_MEMORY, step=0, message=f"{message}, or give --pack less than {setup.pack}")
        return failed_fit(workbench, planned.job, why, None, 0.0, 0.0)
    if isinstance(outcome, Diverged):
        return failed_fit(workbench, planned.job, diverged(outcome), None, outcome.flops, outcome.seconds)
    kept = kept_fit(workbench, planned.job, planned.learner, None, Trained(outcome))
    put_in_store(workbench, planned.recipe, kept, outcome.state)
    return kept
