"""The plan of a run: the jobs for all arrivals and learners, each with the jobs that it needs."""

from __future__ import annotations

from collections.abc import Mapping

from learners.specification.learner import Learner, Selection
from learners.training.trainer import trainer_named
from stream.engine.stream import Stream
from stream.selection.choice import chooses
from stream.selection.trials import restarts, searched, searched_at, trials_at, waits_for
from stream.storage.job import Job, JobId
from stream.storage.keys import twin_of
from tasks.seeds import seed_of


def plan_jobs(stream: Stream, learners: Mapping[str, Learner], evaluate: str, seed: int) -> tuple[Job, ...]:
    """Returns all jobs of a run in the order in which they should start: by arrival, then by learner.

    A learner that chooses (`stream.selection.choice.chooses`) reads no test row of a task before its fit has kept the
    winner: its rows before training, and those of tasks to come (`square`), wait for all its fits.

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
    jobs = [Job("before", name, 0, order) for name, learner in learners.items() if not chooses(learner)]
    late: list[Job] = []  # rows that need fits of later arrivals
    fits = {name: fit_ids(name, len(order)) for name in learners}
    for experience in stream.experiences:
        t = experience.arrival
        for name, learner in learners.items():
            worker_affinity = trainer_named(learner.trainer).keeps_state
            first = 0 if worker_affinity else max(t - 2, 0)
            chain = fits[name][first : t - 1] if learner.needs_previous_fit else ()
            if learner.selection is not None:
                trials = search_jobs(name, learner.selection, order, t)
                jobs += trials
                chain = rests_on(name, learner.selection, t)
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
                if evaluate == "square" and chooses(learner):
                    late.append(Job("evaluate", name, t, tasks, fits[name]))
                    continue
            jobs.append(Job("evaluate", name, t, tasks, needs))
    jobs += late
    if evaluate == "audited":
        last = len(order)
        for name, learner in learners.items():
            if learner.keeps_task_weights:
                jobs.append(Job("audit", name, last, order, (*fits[name], JobId.of("evaluate", name, last))))
    jobs += [Job("before", name, 0, order, fits[name]) for name, learner in learners.items() if chooses(learner)]
    return tuple(jobs)


def search_jobs(learner: str, selection: Selection, order: tuple[str, ...], arrival: int) -> list[Job]:
    """Returns the trials of a learner with alternatives at one arrival: those of the search, and the restarts."""
    task = order[arrival - 1]
    on, found, jobs = twin_of(task) if selection.scope == "twin" else task, search_ids(learner, selection, arrival), []
    for trial in trials_at(selection, arrival):
        if trial < searched(selection):
            needs = tuple(JobId.of("search", learner, arrival, each) for each in waits_for(selection, trial))
            jobs.append(Job("search", learner, arrival, (on,), needs, trial=trial))
        else:
            jobs.append(Job("search", learner, arrival, (task,), found, trial=trial))
    return jobs


def search_ids(learner: str, selection: Selection, arrival: int) -> tuple[JobId, ...]:
    """Returns the ids of the trials that the choice of the winner at an arrival rests on, without restarts."""
    numbers = range(searched(selection))
    return tuple(JobId.of("search", learner, at, n) for at in searched_at(selection, arrival) for n in numbers)


def rests_on(learner: str, selection: Selection, arrival: int) -> tuple[JobId, ...]:
    """Returns the ids of all trials that the fit at an arrival rests on: those of the search, and the restarts."""
    count = searched(selection)
    again = (JobId.of("search", learner, arrival, count + number) for number in range(restarts(selection)))
    return (*search_ids(learner, selection, arrival), *again)


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
