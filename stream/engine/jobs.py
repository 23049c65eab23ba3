"""The plan of a run: the jobs for all arrivals and learners, each with the jobs that it needs."""

from __future__ import annotations

from collections.abc import Mapping

from learners.specification.learner import Learner
from learners.training.trainer import trainer_named
from stream.engine.stream import Stream
from stream.storage.job import Job, JobId
from tasks.seeds import seed_of


def plan_jobs(stream: Stream, learners: Mapping[str, Learner], evaluate: str, seed: int) -> tuple[Job, ...]:
    """Returns all jobs of a run in the order in which they should start: by arrival, then by learner.

    Args:
        learners: The learners, by specification.
        evaluate: `full` evaluates all past tasks after every arrival. `square` evaluates the future tasks too.
            `audited` treats isolated learners differently: after an arrival it evaluates the new task and one past task
            drawn by seed (the audit); the other cells of the row are certified; at the end it evaluates all tasks
            again. Sequential learners are always evaluated as with `full`.
        seed: Seed of the run, for the draw of the audits.
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
                # The row needs the previous row too: its certificate refers to measured cells, which must exist.
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
    """Returns the ids of a learner's fits up to an arrival, that one included."""
    return tuple(JobId.of("fit", learner, i) for i in range(1, arrival + 1))


def audited_tasks(seen: tuple[str, ...], seed: int, learner: str) -> tuple[str, ...]:
    """Returns the tasks to evaluate after an arrival: one past task drawn by seed (none after the first arrival), then
    the newest task.

    Args:
        seen: Names of the tasks up to the newest one, in order of arrival.
    """
    past = seen[:-1]
    if not past:
        return seen
    return (past[seed_of(seed, learner, seen[-1], "audit") % len(past)], seen[-1])
