"""Preview of a run: its jobs, those that are already done, and an estimate of the time for the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from learners.specification.learner import Learner
from stream.engine.context import RunContext
from stream.engine.engine import workers_of
from stream.engine.estimate import EvaluationSpeed, FitSpeed, evaluation_speeds, fit_speeds
from stream.engine.job_flops import JobFlops
from stream.engine.jobs import plan_jobs
from stream.engine.resume import counts_in, finished_events, latest_events
from stream.engine.shared_fits import fit_identities
from stream.selection.trials import begins_fit, proposed, share_of_fit
from stream.storage.events import Event, JobEvent
from stream.storage.fits import FailedTask, LearnedTask, last_good
from stream.storage.job import Job, JobId
from stream.storage.keys import TWIN, fit_recipe
from stream.storage.store import DamagedEntry, Store
from stream.storage.trials import Trial


@dataclass
class Share:
    """The part of one learner in a run.

    Attributes:
        jobs, done: Number of jobs by kind: all, and those in the run's ledger.
        free: Number of jobs that are not in the ledger, but whose fit is in the store or shared.
        fits: Number of different fits. A fit that goes on after a rung is one fit.
        to_choose: Number of those among which the learner chooses: `search_fits` of the results.
        finished: Number of fits that the run's ledger has, or whose first rung it has.
        stored: Number of fits that are not in the ledger but in the store.
        shared: Number of other fits that an earlier member of the same study will have done.
        cells: Number of cells of the run's rows, by provenance. All cells of a learner that may find frozen layers in
            the cache count as `partly-measured`; the first one of each task in each process is `measured`.
        left: Number of cells still to be evaluated.
        flops: FLOPs of the fits to be done, if each runs all its epochs.
        fit_seconds, evaluate_seconds: Estimated seconds of the jobs to be done; None if no finished job allows an
            estimate.
        basis: Basis of the estimate for fits: finished fits of this learner (`own`) or of `others`; None if there is
            no estimate.
    """

    jobs: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    free: int = 0
    fits: int = 0
    to_choose: int = 0
    finished: int = 0
    stored: int = 0
    shared: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    left: int = 0
    flops: float = 0.0
    fit_seconds: float | None = 0.0
    evaluate_seconds: float | None = 0.0
    basis: str | None = None

    @property
    def fits_left(self) -> int:
        """Number of fits to be done."""
        return self.fits - self.finished - self.stored - self.shared

    @property
    def seconds(self) -> float | None:
        """Estimated seconds of all jobs to be done, one after another; None if there is no estimate."""
        if self.fit_seconds is None or self.evaluate_seconds is None:
            return None
        return self.fit_seconds + self.evaluate_seconds


@dataclass(frozen=True)
class Preview:
    """What a run would do.

    Attributes:
        shares: The part of each learner, by specification.
        workers: Number of processes of the run.
        rate: FLOPs per second of all finished fits in the store on this backbone; None if there are none.
        seconds: Estimated seconds of the jobs to be done on `workers` processes; None if there is no estimate.
    """

    shares: Mapping[str, Share]
    workers: int
    rate: float | None
    seconds: float | None


def preview(context: RunContext, events: Iterable[Event], promised: set[str] | None = None) -> Preview:
    """Returns what a run would do, given its ledger and its store. Runs no job.

    Args:
        events: Events of the ledger in the run's folder; empty if there is no run yet.
        promised: Identities of the fits that earlier members of a study will have done (`fit_identities`); those of
            this run are added. None (default): the run is no member of a study.
    """
    config, learners = context.config, context.learners
    jobs = plan_jobs(context.stream, learners, config.evaluate, config.seed)
    store = Store(config.store_folder)
    finished = finished_events(latest_events(events), jobs, context.inputs.key, counts_in(store))
    stored = stored_fits(context, jobs, finished, store)
    fits = fit_speeds(store, context.known.id, context.inputs.numerics)
    evaluations = evaluation_speeds(finished.values())
    work = JobFlops(context)
    identities = {} if promised is None else fit_identities(context, jobs)
    shares = {name: Share() for name in learners}
    for job in jobs:
        share, learner = shares[job.learner], learners[job.learner]
        share.jobs[job.kind] += 1
        share.done[job.kind] += job.id in finished
        if begun := begins(job, learner):
            share.fits += 1
            share.to_choose += job.kind == "search"
            share.finished += job.id in finished
        audited = config.evaluate == "audited"
        share.cells += cells_of(
            job,
            certifiable=audited and learner.keeps_task_weights,
            shared=learner.may_freeze_layers and not audited,
        )
        if job.id in finished:
            continue
        if job.kind not in ("fit", "search"):
            share.left += len(job.tasks)
            add_row(share, work, job, evaluations.get(job.learner), fits.get(learner.name) or fits.get(""))
        elif part := trains(job, learner):
            if job.id in stored:
                share.free += 1
                share.stored += begun
            elif promised is not None and identities.get(job.id) in promised:
                share.free += 1
                share.shared += begun
            else:
                add_fit(share, part * flops_of(work, job, learner), fits.get(learner.name), fits.get(""))
    if promised is not None:
        promised |= set(identities.values())
    workers = workers_of(config, context)
    rate = fits[""].rate if fits else None
    return Preview(shares, workers, rate, wall_clock(context, shares, workers))


def stored_fits(
    context: RunContext, jobs: Iterable[Job], finished: Mapping[JobId, JobEvent], store: Store
) -> set[JobId]:
    """Returns the ids of the fit jobs that are not in the ledger but whose recipe is in the store.

    The recipe of a fit whose needs are not finished is unknown; such a fit counts as not stored.
    """
    stored: set[JobId] = set()
    fits: dict[JobId, LearnedTask | FailedTask] = {
        job: event for job, event in finished.items() if isinstance(event, LearnedTask | FailedTask)
    }
    for job in jobs:
        learner = context.learners[job.learner]
        if job.kind == "search" and job.id not in finished and (trial := known_trial(context, job, learner)):
            with suppress(DamagedEntry):
                if store.get_fit(fit_recipe(context.inputs, learner, job, None, (), trial).id) is not None:
                    stored.add(job.id)
        if job.kind != "fit" or job.id in finished or any(need not in fits for need in job.needs):
            continue
        start = last_good(fits[job.needs[-1]]) if job.needs else None
        earlier = [fit for need in job.needs if isinstance(fit := fits[need], LearnedTask)]
        recipe = fit_recipe(context.inputs, learner, job, start, earlier)
        with suppress(DamagedEntry):  # the run will do this fit again
            if (found := store.get_fit(recipe.id)) is not None:
                fits[job.id] = found
                stored.add(job.id)
    return stored


def known_trial(context: RunContext, job: Job, learner: Learner) -> Trial | None:
    """Returns what a trial fits, if that depends on no other trial; else None."""
    if learner.selection is None or job.needs or job.trial is None:
        return None
    return proposed(learner.selection, context.config.seed, job.learner, job.trial, ())


def begins(job: Job, learner: Learner) -> bool:
    """Whether a job begins a fit that no other job of the run has begun."""
    if job.kind not in ("fit", "search"):
        return False
    return learner.selection is None or begins_fit(learner.selection, job.arrival, job.trial)


def trains(job: Job, learner: Learner) -> float:
    """Returns how much of a whole fit a fit or search job trains that other jobs do not."""
    return 1.0 if learner.selection is None else share_of_fit(learner.selection, job.arrival, job.trial)


def flops_of(work: JobFlops, job: Job, learner: Learner) -> float:
    """Returns the FLOPs of a whole fit. If it is not known yet which alternative is fitted, the mean of all counts."""
    task = job.tasks[0].removeprefix(TWIN)  # the rows of a twin are not counted: they are about as many
    if learner.selection is None:
        return work.fit(job.learner, task)
    alternatives = [each.specification for each in learner.selection.alternatives]
    if (trial := known_trial(work.context, job, learner)) is not None:
        alternatives = [trial.candidate]
    return sum(work.fit(job.learner, task, each) for each in alternatives) / len(alternatives)


def cells_of(job: Job, *, certifiable: bool, shared: bool) -> Counter[str]:
    """Returns the number of cells that a job adds to its row, by provenance, if no fit fails."""
    if job.kind in ("fit", "search"):
        return Counter()
    if job.kind == "before" or not certifiable:
        how = "before" if job.kind == "before" else "partly-measured" if shared else "measured"
        return Counter({how: len(job.tasks)})
    if job.kind == "audit":
        return Counter(audited=len(job.tasks))
    audited = len(job.tasks) - 1
    return Counter(measured=1, audited=audited, certified=job.arrival - len(job.tasks))


def add_fit(share: Share, flops: float, own: FitSpeed | None, others: FitSpeed | None) -> None:
    """Adds the FLOPs and the expected seconds of a fit to a learner's share.

    Args:
        own, others: Speed of this learner's finished fits, and of all finished fits; None if there are none.
    """
    share.flops += flops
    speed = own or others
    if flops and share.fit_seconds is not None:
        share.fit_seconds = None if speed is None else share.fit_seconds + speed.seconds_for(flops)
        share.basis = None if speed is None else "own" if own else "others"


def add_row(share: Share, work: JobFlops, job: Job, evaluations: EvaluationSpeed | None, fits: FitSpeed | None) -> None:
    """Adds the expected seconds of a row to a learner's share.

    Args:
        evaluations: Speed of the learner's evaluated cells; None if there are none.
        fits: Speed of finished fits, used with the FLOPs of the row if `evaluations` is None; None if there are none.
    """
    for task in job.tasks:
        if share.evaluate_seconds is None:
            return
        if evaluations is not None:
            share.evaluate_seconds += evaluations.seconds_for(task, len(work.rows(task).test))
        elif flops := work.cell(job.learner, task):
            share.evaluate_seconds = None if fits is None else share.evaluate_seconds + flops / fits.rate


def wall_clock(context: RunContext, shares: Mapping[str, Share], workers: int) -> float | None:
    """Returns the expected seconds of all jobs to be done on the workers; None if there is no estimate.

    It is at least the time of the longest chain of fits in which each fit needs the previous one.
    """
    each = {name: share.seconds for name, share in shares.items()}
    if any(seconds is None for seconds in each.values()):
        return None
    chains = (shares[name].fit_seconds for name, learner in context.learners.items() if learner.needs_previous_fit)
    return max(sum(filter(None, each.values())) / workers, *(chain or 0.0 for chain in chains), 0.0)
