"""The plan: arrivals and learners become jobs, each with what it needs first."""

from __future__ import annotations

from collections.abc import Mapping

from learners.specification.learner import Learner
from learners.training.trainer import trainer_named
from stream.engine.stream import Stream
from stream.storage.job import Job, JobId
from tasks.seeds import seed_of


def plan_jobs(stream: Stream, learners: Mapping[str, Learner], evaluate: str, seed: int) -> tuple[Job, ...]:
    """All jobs of a run in the order in which they should start: arrival by arrival, learner by learner.

    Args:
        evaluate: `full` re-evaluates every past task after every arrival; `square` also the tasks still to come;
            `audited` measures isolated learners on arrival, audits one past task drawn by seed, leaves the rest of
            the row to be certified, and re-runs all at the end. Sequential learners are always measured.
        seed: Of the run, for the draw of audits.
    """
    order = stream.order
    place = {task: index for index, task in enumerate(order)}
    jobs = [Job("before", learner, 0, order) for learner in learners]
    fits = {name: fit_ids(name, len(order)) for name in learners}
    for experience in stream.experiences:
        t = experience.arrival
        for name, learner in learners.items():
            worker_affinity = trainer_named(learner.trainer).keeps_state
            first = 0 if worker_affinity else max(t - 2, 0)
            chain = fits[name][first : t - 1] if learner.needs_previous_fit else ()
            jobs.append(Job("fit", name, t, (experience.task,), chain, worker_affinity))
        for name, learner in learners.items():
            certifiable = evaluate == "audited" and learner.keeps_task_weights
            if certifiable:
                tasks = audited_tasks(order[:t], seed, name)
                # Of the row before, the certificate: it points at measured cells, so they must be there.
                needs = tuple(fits[name][place[task]] for task in tasks)
                needs += (JobId.of("evaluate", name, t - 1),) if t > 1 else ()
            else:
                tasks, needs = order if evaluate == "square" else order[:t], fits[name][:t]
            jobs.append(Job("evaluate", name, t, tasks, needs))
    if evaluate == "audited":
        last = len(order)
        for name, learner in learners.items():
            if learner.keeps_task_weights:
                jobs.append(Job("audit", name, last, order, (*fits[name], JobId.of("evaluate", name, last))))
    return tuple(jobs)


def fit_ids(learner: str, arrival: int) -> tuple[JobId, ...]:
    """Ids of a learner's fits up to an arrival."""
    return tuple(JobId.of("fit", learner, i) for i in range(1, arrival + 1))


def audited_tasks(seen: tuple[str, ...], seed: int, learner: str) -> tuple[str, ...]:
    """The task that just arrived and, after the first arrival, one past task drawn by seed."""
    past = seen[:-1]
    if not past:
        return seen
    return (past[seed_of(seed, learner, seen[-1], "audit") % len(past)], seen[-1])
