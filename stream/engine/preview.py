"""Preview: what a run would do, what of it is done already, and how long the rest may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stream.engine.context import RunContext
from stream.engine.engine import workers_of
from stream.engine.estimate import Answers, Pace, Work, answers, paces
from stream.engine.jobs import plan_jobs
from stream.engine.resume import replay, written
from stream.execution.workbench import open_workbench
from stream.storage.events import Event, JobEvent
from stream.storage.fits import FailedTask, LearnedTask, last_good
from stream.storage.job import Job, JobId
from stream.storage.keys import history
from stream.storage.store import Store

CELLS = ("before", "measured", "audited", "certified")


@dataclass
class Share:
    """One learner's part of a run.

    Attributes:
        jobs, done: By kind; `done` counts those in the run's ledger.
        stored: Fits that the ledger lacks and the store has.
        cells: By provenance: all that the run's rows hold. `left` counts those still to be evaluated.
        flops: Of the fits to be done, if each comes to its last epoch.
        fit_seconds, evaluate_seconds: Estimates of what is left; None where nothing is known to go by.
        basis: What the estimate of fits rests on: `own` finished fits, or those of `others`; None where not needed.
    """

    jobs: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    left: int = 0
    flops: float = 0.0
    fit_seconds: float | None = 0.0
    evaluate_seconds: float | None = 0.0
    basis: str | None = None

    @property
    def fits_left(self) -> int:
        return self.jobs["fit"] - self.done["fit"] - self.stored

    @property
    def seconds(self) -> float | None:
        """Of fits and evaluations, one after another."""
        if self.fit_seconds is None or self.evaluate_seconds is None:
            return None
        return self.fit_seconds + self.evaluate_seconds


@dataclass(frozen=True)
class Preview:
    """A run before it runs.

    Attributes:
        rate: FLOPs a second of all finished fits in the store on this backbone; None where there are none.
        seconds: Of what is left, on `workers` processes; None where it cannot be told.
    """

    shares: Mapping[str, Share]
    workers: int
    rate: float | None
    seconds: float | None


def preview(context: RunContext, events: Iterable[Event]) -> Preview:
    """Make the plan of a run, and look for what is there.

    Args:
        events: Of the ledger in the run's folder; none if there is no run yet.

    Raises:
        InputError: A damaged record in the store, as the run would.
    """
    config, learners = context.config, context.learners
    jobs = plan_jobs(context.stream, learners, config.evaluate, config.seed)
    store = Store(config.store_folder)
    finished = replay(written(events), jobs, context.inputs.key, lambda delta: store.delta_path(delta).exists())
    stored = stored_fits(context, jobs, finished, store)
    known = paces(store, context.backbone.id, context.inputs.numerics)
    answered = answers(finished.values())
    work = Work(open_workbench(context.setup(), context.backbone))
    shares = {name: Share() for name in learners}
    for job in jobs:
        share, learner = shares[job.learner], learners[job.learner]
        share.jobs[job.kind] += 1
        share.done[job.kind] += job.id in finished
        cells = cells_of(job, certifiable=config.evaluate == "audited" and learner.keeps_task_weights)
        share.cells += cells
        if job.id in finished:
            continue
        if job.kind != "fit":
            share.left += len(job.tasks)
            pace = known.get(learner.name) or known.get("")
            add_row(share, work, job, answered.get(job.learner), pace)
        elif job.id in stored:
            share.stored += 1
        else:
            add_fit(share, work, job, known.get(learner.name), known.get(""))
    workers = workers_of(context)
    rate = known[""].rate if known else None
    return Preview(shares, workers, rate, wall_clock(context, shares, workers))


def stored_fits(
    context: RunContext, jobs: Iterable[Job], finished: Mapping[JobId, JobEvent], store: Store
) -> set[JobId]:
    """Ids of the jobs whose fits the ledger lacks and the store has, as far as can be told before they are done."""
    found: set[JobId] = set()
    known: dict[JobId, LearnedTask | FailedTask] = {
        job: event for job, event in finished.items() if isinstance(event, LearnedTask | FailedTask)
    }
    for job in jobs:
        if job.kind != "fit" or job.id in finished or any(need not in known for need in job.needs):
            continue
        before = last_good(known[job.needs[-1]]) if job.needs else None
        earlier = [fit for need in job.needs if isinstance(fit := known[need], LearnedTask)]
        met = history(context.learners[job.learner], earlier, context.inputs.data)
        recipe = context.inputs.recipe(job, before.delta if before else None, met)
        if (stored := store.get_fit(recipe.id)) is not None:
            known[job.id] = stored
            found.add(job.id)
    return found


def cells_of(job: Job, *, certifiable: bool) -> Counter[str]:
    """What a job's row will hold, by provenance, if no fit fails."""
    if job.kind == "fit":
        return Counter()
    if job.kind == "before" or not certifiable:
        return Counter({"before" if job.kind == "before" else "measured": len(job.tasks)})
    if job.kind == "audit":
        return Counter(audited=len(job.tasks))
    again = len(job.tasks) - 1
    return Counter(measured=1, audited=again, certified=job.arrival - len(job.tasks))


def add_fit(share: Share, work: Work, job: Job, own: Pace | None, others: Pace | None) -> None:
    flops = work.fit(job.learner, job.tasks[0])
    share.flops += flops
    pace = own or others
    if flops and share.fit_seconds is not None:
        share.fit_seconds = None if pace is None else share.fit_seconds + pace.take(flops)
        share.basis = None if pace is None else "own" if own else "others"


def add_row(share: Share, work: Work, job: Job, answered: Answers | None, pace: Pace | None) -> None:
    """A row goes as the learner's finished rows went; before there are any, by its FLOPs at the rate of fits."""
    for task in job.tasks:
        if share.evaluate_seconds is None:
            return
        if answered is not None:
            share.evaluate_seconds += answered.take(task, len(work.bench.data(task).test))
        elif flops := work.cell(job.learner, task):
            share.evaluate_seconds = None if pace is None else share.evaluate_seconds + flops / pace.rate


def wall_clock(context: RunContext, shares: Mapping[str, Share], workers: int) -> float | None:
    """All that is left, spread over the workers; but fits that go on from one another take as long as they take."""
    each = {name: share.seconds for name, share in shares.items()}
    if any(seconds is None for seconds in each.values()):
        return None
    chains = (shares[name].fit_seconds for name, learner in context.learners.items() if learner.needs_previous_fit)
    return max(sum(filter(None, each.values())) / workers, *(chain or 0.0 for chain in chains), 0.0)
