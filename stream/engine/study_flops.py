"""FLOPs of a whole study, and of the same runs if each were alone: what shared fits and certified cells save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from stream.engine.context import RunContext
from stream.engine.job_flops import JobFlops
from stream.engine.jobs import plan_jobs
from stream.engine.preview import flops_of, trains
from stream.engine.shared_fits import fit_identities
from stream.storage.job import Job


@dataclass(frozen=True)
class StudyFlops:
    """FLOPs of all fits and evaluations of a study, if no fit stops early; nothing counts as done.

    Attributes:
        study: As the study does them: a fit that members share once, certified cells not at all.
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

    def rows(jobs: Sequence[Job], whole: bool) -> float:
        cells = ((job.learner, task) for job in jobs if job.kind not in ("fit", "search") for task in job.tasks)
        return sum(cell(learner, task, whole) for learner, task in cells)

    study = alone = 0.0
    seen: set[str] = set()
    for context in members:
        evaluate, seed = context.config.evaluate, context.config.seed
        jobs = plan_jobs(context.stream, context.learners, evaluate, seed)
        identities = fit_identities(context, jobs)
        trained = {job.id: fit(job) for job in jobs if job.id in identities}
        alone += sum(trained.values())
        study += sum(flops for job, flops in trained.items() if identities[job] not in seen)
        seen |= set(identities.values())
        study += rows(jobs, whole=False)
        # The frozen layers that later cells take from the cache, once.
        study += sum(
            cell(name, task, True) - cell(name, task, False)
            for name in context.learners
            for task in context.stream.order
        )
        alone += rows(plan_jobs(context.stream, context.learners, "full", seed), whole=True)
    return StudyFlops(study, alone)
