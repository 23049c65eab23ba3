"""The scores of one learner in several runs, by seed and task."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stream.results.learner_results import LearnerResults
from stream.results.metrics import forgetting_per_task
from stream.results.reading import number, section
from stream.results.results import Results
from stream.study.members import Member
from tasks.errors import InputError, InputErrors

Array = npt.NDArray[np.float64]
SAME = 1e-9  # numbers of one seed that are closer are equal in all orders, but for rounding
SAMPLED = ("data_seed", "max_length")  # settings that decide what is scored, beside the number of test rows
OF_COST = ("growth_without_heads", "search_flops")  # numbers of a learner beside its metrics


@dataclass(frozen=True)
class Arm:
    """One learner in the finished runs of a study.

    Attributes:
        name: Name of the learner in the report.
        members: The runs.
        results: Results of the learner in each run.
        data: Content id of the data of each task; "" if not known.
        samples: What else decides which test rows of a task are scored, and how much of each is read: their number and
            the settings of `SAMPLED`, in words; empty if not known.
        known, each: What `by_task` and `by_member` have returned, by metric: each learner is compared with many others.
    """

    name: str
    members: tuple[Member, ...]
    results: tuple[LearnerResults, ...]
    data: Mapping[str, str]
    samples: Mapping[str, str] = field(default_factory=dict)
    known: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict, repr=False, compare=False)
    each: dict[str, list[dict[str, float]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in the order of the runs."""
        return tuple(dict.fromkeys(member.seed for member in self.members))


def arms_of(runs: Mapping[Member, Results], named: Callable[[str], str] = str) -> list[Arm]:
    """Returns one arm for each learner that all of these runs have.

    Args:
        runs: Finished runs of one study.
        named: Returns the name of a learner in the report. Default: its specification.
    """
    chosen = balanced(runs)
    everyone = [name for name in next(iter(chosen.values()), {}) if all(name in run for run in chosen.values())]
    data = {task: about.data_id for run in chosen.values() for task, about in run.tasks.items()}
    samples = {task: sample(run, task) for run in chosen.values() for task in run.tasks}
    return [
        Arm(named(name), (*chosen,), tuple(run[name] for run in chosen.values()), data, samples) for name in everyone
    ]


def sample(run: Results, task: str) -> str:
    """Returns the sample of test rows that scores of a task are on, in words: `300 test examples, data_seed 0`."""
    count = run.tasks[task].test
    limit = f"{count if count is not None else run.settings.get('test_examples') or 'all'} test examples"
    return ", ".join([limit, *(f"{name} {run.settings[name]}" for name in SAMPLED if name in run.settings)])


def check_samples(arms: Sequence[Arm]) -> None:
    """Checks that scores of a task, on the same data, are on the same test rows.

    Raises:
        InputErrors: All tasks that have scores on several samples.
    """
    errors = []
    for task in dict.fromkeys(task for arm in arms for task in arm.samples):
        having = [arm for arm in arms if arm.samples.get(task)]
        found: dict[str, str] = {}
        for arm in having:
            found.setdefault(arm.samples[task], arm.name)
        if len(found) > 1 and len({arm.data.get(task, "") for arm in having} - {""}) <= 1:
            errors.append(
                InputError(
                    "scores are on different test samples",
                    where=f"task {task}",
                    found="; ".join(f"{name}: {words}" for words, name in found.items()),
                    fix="report these runs apart, or give them the same settings",
                )
            )
    if errors:
        raise InputErrors(errors)


def balanced(runs: Mapping[Member, Results]) -> Mapping[Member, Results]:
    """Returns the runs of the seeds that have every order, or all runs if no seed has.

    A seed with a part of the orders would compare the orders too.
    """
    orders = {member.order for member in runs}
    whole = {n for n in {m.seed for m in runs} if {m.order for m in runs if m.seed == n} == orders}
    return {member: run for member, run in runs.items() if member.seed in whole} or runs


def by_seed(arm: Arm, metric: str) -> dict[int, float]:
    """Returns a metric, or a number of `OF_COST`, for each seed: the mean over the orders of that seed.

    A seed with a missing value is left out.
    """
    values: dict[int, list[float | None]] = {}
    for member, results in zip(arm.members, arm.results, strict=True):
        values.setdefault(member.seed, []).append(value_of(results, metric))
    return {
        seed: math.fsum(known) / len(known)
        for seed, each in values.items()
        if len(known := [value for value in each if value is not None]) == len(each)
    }


def draws(arm: Arm, metric: str) -> Array:
    """Returns a metric, or a number of `OF_COST`, for each seed and order, [S, O]; [0, 1] if no seed has it.

    [S, 1], the means over orders, where orders are no draws: an isolated learner has the same scores in every order.
    The orders of other learners are draws, as are those of a number that depends on the order. If seeds lack orders, a
    seed's value is the mean over the orders that it has.
    """
    means = by_seed(arm, metric)
    orders = dict.fromkeys(member.order for member in arm.members)
    cells = {
        (member.seed, member.order): value_of(results, metric)
        for member, results in zip(arm.members, arm.results, strict=True)
    }
    values = [[cells.get((seed, order)) for order in orders] for seed in means]
    known = [[value for value in row if value is not None] for row in values]
    whole = all(len(row) == len(orders) for row in known)
    if known and whole and (arm.results[0].sharing != "isolated" or max(max(row) - min(row) for row in known) > SAME):
        return np.array(known)
    return np.array([*means.values()], dtype=np.float64).reshape(-1, 1)


def value_of(results: LearnerResults, metric: str) -> float | None:
    """Returns a metric, or a number of `OF_COST`, of one run; None if it is not known."""
    if metric == "growth_without_heads":
        return results.cost.growth_without_heads[-1] if results.cost.growth_without_heads else None
    if metric == "search_flops":  # a learner with alternatives has it
        return number(section(results.document.get("cost"), results.name).get(metric))
    return results.metrics.get(metric)


def _last(results: LearnerResults) -> Array:
    return np.array(results.matrix[results.arrivals], dtype=np.float64)


def _learned(results: LearnerResults) -> Array:
    return results.matrix[1:].diagonal().copy()


def _forgotten(results: LearnerResults) -> Array:
    return np.array(forgetting_per_task(results.matrix[1:]), dtype=np.float64)


def _transferred(results: LearnerResults) -> Array:
    change = _last(results) - _learned(results)
    change[-1:] = np.nan  # the last task cannot change yet
    return change


# Metrics that are a mean over tasks: their value on each task of a finished run, [T], in order of arrival. NaN: none.
BY_TASK: Mapping[str, Callable[[LearnerResults], Array]] = {
    "average_accuracy": _last,
    "learning_accuracy": _learned,
    "forgetting_chaudhry": _forgotten,
    "bwt_gem": _transferred,
}


def by_task(arm: Arm, metric: str) -> dict[int, dict[str, float]]:
    """Returns the value of a metric of `BY_TASK` on each task, for each seed: the mean over the orders of that seed in
    which the task has a value."""
    if metric not in arm.known:
        arm.known[metric] = _by_task(arm, metric)
    return arm.known[metric]


def _by_task(arm: Arm, metric: str) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, list[float]]] = {seed: {} for seed in arm.seeds}
    for member, scores in zip(arm.members, by_member(arm, metric), strict=True):
        for task, value in scores.items():
            found[member.seed].setdefault(task, []).append(value)
    return {
        seed: {task: math.fsum(values) / len(values) for task, values in tasks.items()} for seed, tasks in found.items()
    }


def by_member(arm: Arm, metric: str) -> list[dict[str, float]]:
    """Returns for each run the value of a metric of `BY_TASK` on each task that has one; of another metric, its value
    as that of the task ""."""
    if metric not in arm.each:
        arm.each[metric] = [_of_member(results, metric) for results in arm.results]
    return arm.each[metric]


def _of_member(results: LearnerResults, metric: str) -> dict[str, float]:
    if metric not in BY_TASK:
        value = value_of(results, metric)
        return {} if value is None else {"": value}
    values = BY_TASK[metric](results).tolist()
    return {task: value for task, value in zip(results.order, values, strict=True) if not math.isnan(value)}


def by_order(arm: Arm, metric: str, seeds: Collection[int], tasks: Sequence[str]) -> dict[str, Array]:
    """Returns for each order the means over these seeds, [T]; NaN where no seed has a value."""
    found: dict[str, list[list[float]]] = {}
    for member, scores in zip(arm.members, by_member(arm, metric), strict=True):
        if member.seed in seeds:
            found.setdefault(member.order, []).append([scores.get(task, math.nan) for task in tasks])
    return {order: _mean(np.array(rows)) for order, rows in found.items()}


def _mean(rows: Array) -> Array:
    """The mean over the first axis of the values that are no NaN."""
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean: Array = np.where(known, rows, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean


def order_differences(a: Arm, b: Arm | None, metric: str, tasks: Sequence[str]) -> list[float]:
    """Returns the mean difference a - b in each order that both have; [] if a seed lacks an order, which would compare
    the seeds too. The scores of an isolated learner stand for those in an order that it has not. Without b: those of a.

    Tasks are centred first, so that a task without a value in some order, as the last one in forgetting, moves no mean.

    Args:
        tasks: Tasks of a metric of `BY_TASK`; ("",) for another metric.
    """
    arms = (a,) if b is None else (a, b)
    for arm in arms:
        if len(arm.members) < len(arm.seeds) * len({member.order for member in arm.members}):
            return []
    common = set.intersection(*(set(arm.seeds) for arm in arms))
    each = [by_order(arm, metric, common or arm.seeds, tasks) for arm in arms]
    for arm, own in zip(arms, each, strict=True):
        if arm.results[0].sharing == "isolated" and own:
            mean = _mean(np.array([*own.values()]))
            own |= {order: mean for other in each for order in other if order not in own}
    ours, theirs = each[0], each[1] if b is not None else {order: np.zeros(len(tasks)) for order in each[0]}
    rows = [ours[order] - theirs[order] for order in ours if order in theirs]
    rows = [row for row in rows if not np.isnan(row).all()]
    if len(rows) < 2:
        return []
    values = np.array(rows)
    return [float(mean) for mean in _mean((values - _mean(values)).T)]


def common_tasks(arms: Sequence[Arm], metric: str) -> tuple[str, ...]:
    """Returns the tasks on which each arm has a value with every seed, with the same data; in order of arrival."""
    scored = [set.intersection(*map(set, by_task(arm, metric).values())) for arm in arms]
    first = arms[0]
    return tuple(
        task
        for task in first.results[0].order
        if all(task in tasks for tasks in scored)
        and len({arm.data.get(task, "") for arm in arms} - {""}) <= 1
    )  # fmt: skip
