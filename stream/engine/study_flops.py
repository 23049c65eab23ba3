"""FLOPs of a whole study, and of the same runs if each were alone: what shared fits and certified cells save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from stream.engine.context import RunContext
from stream.engine.job_flops import JobFlops
from stream.engine.jobs import plan_jobs
from stream.engine.preview import flops_of, trains
from stream.engine.shared_fits import fit_identities
from stream.storage.job import Job, JobId


@dataclass(frozen=True)
class StudyFlops:
    """FLOPs of all fits and evaluations of a study, if no fit stops early; nothing counts as done.

    Attributes:
        study: As the study does them: fits that members share count once, and so do cells that the store certifies in
            an audited run; other certified cells do not count.
        alone: If each member ran alone and measured every cell of R through all layers.
    """

    study: float
    alone: float


def study_flops(members: Sequence[RunContext]) -> StudyFlops:
    """Counts the FLOPs of a study.

    Args:
        members: The members, which differ in seed and order only.
    """
    first = members[0]
    ours = JobFlops(first)
    # The cells of an audited run do not use the cache of frozen layers.
    uncached = JobFlops(replace(first, config=first.config.model_copy(update={"evaluate": "audited"})))

    @cache
    def cell(learner: str, task: str, whole: bool) -> float:
        return (uncached if whole else ours).cell(learner, task)

    fits: dict[tuple[str, str, int | None, float], float] = {}

    def fit(job: Job) -> float:
        learner = first.learners[job.learner]
        part = trains(job, learner)
        key = job.learner, job.tasks[0], job.trial, part
        if part and key not in fits:
            fits[key] = part * flops_of(ours, job, learner)
        return fits[key] if part else 0.0

    def rows(jobs: Sequence[Job], whole: bool, known: Callable[[Job, str], bool] = lambda job, task: False) -> float:
        rows = (job for job in jobs if job.kind not in ("fit", "search"))
        return sum(cell(job.learner, task, whole) for job in rows for task in job.tasks if not known(job, task))

    study = alone = 0.0
    seen: set[str] = set()
    scored: set[tuple[str, ...]] = set()
    for context in members:
        evaluate, seed = context.config.evaluate, context.config.seed
        jobs = plan_jobs(context.stream, context.learners, evaluate, seed)
        identities = fit_identities(context, jobs)
        trained = {job.id: fit(job) for job in jobs if job.id in identities}
        alone += sum(trained.values())
        study += sum(flops for job, flops in trained.items() if identities[job] not in seen)
        seen |= set(identities.values())
        study += rows(jobs, False, partial(_certified, context, identities, scored))
        # The frozen layers that later cells take from the cache, once.
        study += sum(
            cell(name, task, True) - cell(name, task, False)
            for name in context.learners
            for task in context.stream.order
        )
        alone += rows(plan_jobs(context.stream, context.learners, "full", seed), True)
    return StudyFlops(study, alone)


def _certified(
    context: RunContext, identities: Mapping[JobId, str], scored: set[tuple[str, ...]], job: Job, task: str
) -> bool:
    """Whether a member takes a cell from the store, because an earlier member measured it (`stream.storage.scores`).

    Args:
        identities: Identities of the fits of this member.
        scored: The cells that members have measured; this one is added.
    """
    audited = context.config.evaluate == "audited" and context.learners[job.learner].keeps_task_weights
    if not audited or job.kind == "audit" or (job.kind == "evaluate" and task != job.tasks[-1]):
        return False
    fit = JobId.of("fit", job.learner, job.arrival)
    key = (job.learner, task, str(context.config.seed) if job.kind == "before" else identities[fit], job.kind)
    known = key in scored
    scored.add(key)
    return known
