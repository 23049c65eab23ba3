"""The content of study.json: means over seeds, paired differences, ranks. A function of the members' results."""

from __future__ import annotations

import statistics as plain_statistics
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NotRequired, TypedDict

import numpy as np

from stream.results.results import Results
from stream.study.holm import holm
from stream.study.members import SCHEMA, Member
from stream.study.scores import (
    BY_TASK,
    OF_COST,
    Arm,
    Array,
    arms_of,
    by_seed,
    by_task,
    check_samples,
    common_tasks,
    draws,
    order_differences,
    value_of,
)
from stream.study.selection import chosen_of
from stream.study.statistics import (
    METHOD,
    METHOD_ONE_GROUP,
    METHOD_SEEDS,
    NO_SPREAD,
    ORDERS_ADDED,
    alike,
    mean_over,
    paired,
    ranks,
)
from tasks.suite import text_groups

SCORE = "average_accuracy"
DIGITS = ".10g"  # of derived statistics: another version of SciPy may differ in the last bits
COMPARED = (SCORE, "forgetting_chaudhry")  # the metrics whose differences are in the document


class MemberEntry(TypedDict):
    """A member: its folder below OUT, seed and order, and whether all its tasks have arrived."""

    folder: str
    seed: int
    order: str
    finished: bool


class NumberEntry(TypedDict):
    """A number of a learner. `mean` and `half` (95 %; null for n < 2) are over n units, which `over` names: seeds;
    orders, if there is one seed; or all pairs of a seed and an order (`statistics.mean_over`). Orders are units where
    the numbers depend on the order. `median` is over `seeds` seeds: a seed's value is the mean over its orders.
    `lowest` and `highest` are over all members."""

    mean: float
    half: float | None
    n: int
    over: str
    seeds: int
    median: float
    lowest: float
    highest: float


class ComparisonEntry(TypedDict):
    """The paired difference a - b: `half` of its 95 % interval, p, p with Holm's correction over all comparisons of
    this metric, and the numbers of seeds, orders, tasks and groups of tasks that it rests on. `orders` is 1 if the
    difference is the same in every order. Without spread, `half` and p are null, and Holm's correction does not count
    the comparison."""

    a: str
    b: str
    metric: str
    difference: float
    half: float | None
    p: float | None
    p_holm: float | None
    method: str
    seeds: int
    orders: int
    tasks: int
    groups: int
    degrees_of_freedom: float | None


class RanksEntry(TypedDict):
    """Average ranks of the learners over groups of tasks; see `stream.study.statistics.Ranks`. `alike` are the sets of
    learners that the critical difference does not separate."""

    metric: str
    blocks: int
    average: dict[str, float]
    friedman_chi2: float | None
    friedman_p: float | None
    critical_difference: float | None
    alike: list[list[str]]


class StudyDocument(TypedDict):
    """The whole document. `ranks` is null with fewer than two learners on the same tasks. `tasks` are those of all
    learners together. `failed` is the number of failures of the learners that have any, over all members: their means
    are over fewer tasks. `groups` are the tasks that share texts, if there are any. `chosen` has the learners with
    alternatives: task -> specification of each one that was tried -> number of seeds that chose it."""

    schema: int
    members: list[MemberEntry]
    learners: dict[str, dict[str, NumberEntry]]
    comparisons: list[ComparisonEntry]
    ranks: RanksEntry | None
    tasks: NotRequired[list[str]]
    failed: NotRequired[dict[str, int]]
    groups: NotRequired[list[list[str]]]
    chosen: NotRequired[dict[str, dict[str, dict[str, int]]]]


def study_document(members: Sequence[Member], runs: Mapping[Member, Results]) -> StudyDocument:
    """Returns the document of a study. It has nothing of the call: no times, no folders outside OUT.

    Args:
        members: All members of the study.
        runs: Results of the finished ones.
    """
    return document_of(members, runs, arms_of({member: runs[member] for member in members if member in runs}))


def document_of(members: Sequence[Member], finished: Mapping[Member, object], arms: Sequence[Arm]) -> StudyDocument:
    """Returns the document of several arms, which may be of several studies.

    Raises:
        InputErrors: Scores of a task are on different test samples of the same data.
    """
    check_samples(arms)
    tasks = tuple(dict.fromkeys(task for arm in arms for task in arm.results[0].order))
    groups = [[*group] for group in text_groups(tasks) if len(group) > 1]
    document: StudyDocument = {
        "schema": SCHEMA,
        "members": [
            {"folder": each.folder, "seed": each.seed, "order": each.order, "finished": each in finished}
            for each in members
        ],
        "learners": {arm.name: numbers(arm) for arm in arms},
        "comparisons": [entry for metric in COMPARED for entry in comparisons(arms, metric)],
        "ranks": ranks_of(arms),
        "tasks": [*tasks],
    }
    if failed := {arm.name: count for arm in arms if (count := sum(len(each.failures) for each in arm.results))}:
        document["failed"] = failed
    if groups:
        document["groups"] = groups
    if chosen := {arm.name: found for arm in arms if (found := chosen_of(arm))}:
        document["chosen"] = chosen
    return document


def rounded(value: float | None) -> float | None:
    """Returns a derived statistic with the digits that the document has, so that `verify` can compare bytes."""
    return None if value is None else float(f"{value:{DIGITS}}")


def numbers(arm: Arm) -> dict[str, NumberEntry]:
    """Returns every metric of a learner, its growth without heads and the FLOPs of its search, if it has one."""
    names = dict.fromkeys([*(name for results in arm.results for name in results.metrics), *OF_COST])
    return {name: entry for name in names if (entry := number_entry(arm, name)) is not None}


def number_entry(arm: Arm, metric: str) -> NumberEntry | None:
    """Returns a number of a learner over seeds and orders; None if no seed has it."""
    values = draws(arm, metric)
    if not values.size:
        return None
    found = mean_over(values)
    each = [value for results in arm.results if (value := value_of(results, metric)) is not None]
    return {
        "mean": found.mean,
        "half": rounded(found.half),
        "n": found.n,
        "over": found.over,
        "seeds": len(values),
        "median": plain_statistics.median(by_seed(arm, metric).values()),
        "lowest": min(each),
        "highest": max(each),
    }


def comparisons(arms: Sequence[Arm], metric: str = SCORE) -> list[ComparisonEntry]:
    """Returns the paired differences of all pairs of learners in a metric, with Holm's correction over all of them.

    A metric that is no mean over tasks has differences over seeds alone, and the method says so. Two learners that are
    exactly 0 everywhere, as isolated ones in forgetting, are not compared: there is nothing that chance could change.
    """
    zero = {arm.name for arm in arms if set(by_seed(arm, metric).values()) <= {0.0}} if metric != SCORE else set()
    pairs = [(a, b) for a, b in combinations(arms, 2) if not {a.name, b.name} <= zero]
    found = [entry for a, b in pairs if (entry := comparison(a, b, metric)) is not None]
    for entry, corrected in zip(found, holm([entry["p"] for entry in found]), strict=True):
        entry["p"], entry["p_holm"] = rounded(entry["p"]), rounded(corrected)
    return found


def comparison(a: Arm, b: Arm, metric: str) -> ComparisonEntry | None:
    """Returns the paired difference of two learners; None if they have no task, or no seed, in common.

    Learners of different studies without a common seed are compared by their means over their own seeds.
    """
    if metric in BY_TASK:
        tasks = common_tasks((a, b), metric)
        if not tasks:
            return None
        groups = text_groups(tasks)
        places = [[tasks.index(task) for task in group] for group in groups]
        differences = paired_scores(a, b, metric, tasks)
        count = len(tasks)
    else:
        ours, theirs = by_seed(a, metric), by_seed(b, metric)
        common = [seed for seed in ours if seed in theirs]
        if not common:
            return None
        differences = np.array([[ours[seed] - theirs[seed]] for seed in common])
        places, count = [[0]], len(a.results[0].order)
        tasks = ("",)
    result = paired(differences, places, order_differences(a, b, metric, tasks))
    method = METHOD_SEEDS if metric not in BY_TASK else METHOD if len(places) > 1 else METHOD_ONE_GROUP
    if result.orders > 1:
        method += ORDERS_ADDED
    if result.half is None:
        method += NO_SPREAD
    return {
        "a": a.name,
        "b": b.name,
        "metric": metric,
        "difference": float(f"{result.difference:{DIGITS}}"),
        "half": rounded(result.half),
        "p": result.p,
        "p_holm": None,
        "method": method,
        "seeds": result.seeds,
        "orders": result.orders,
        "tasks": count,
        "groups": result.groups,
        "degrees_of_freedom": rounded(result.degrees),
    }


def paired_scores(a: Arm, b: Arm, metric: str, tasks: Sequence[str]) -> Array:
    """Returns the differences a - b, [S, T], of the common seeds; [1, T] of the means over seeds if there is none."""
    ours, theirs = by_task(a, metric), by_task(b, metric)
    common = [seed for seed in ours if seed in theirs]
    if common:
        return np.array([[ours[seed][task] - theirs[seed][task] for task in tasks] for seed in common])
    difference: Array = scores_on(a, metric, tasks).mean(axis=0) - scores_on(b, metric, tasks).mean(axis=0)
    return difference[None]


def scores_on(arm: Arm, metric: str, tasks: Sequence[str]) -> Array:
    """Returns the values of a metric of `BY_TASK`, [S, T]."""
    return np.array([[scores[task] for task in tasks] for scores in by_task(arm, metric).values()])


def ranks_of(arms: Sequence[Arm]) -> RanksEntry | None:
    """Returns the average ranks of the learners; a block is a group of tasks, its score the mean over seeds and tasks.
    None with fewer than two learners, or without a task that all of them have."""
    tasks = common_tasks(arms, SCORE) if len(arms) > 1 else ()
    if not tasks:
        return None
    places = [[tasks.index(task) for task in group] for group in text_groups(tasks)]
    means = [scores_on(arm, SCORE, tasks).mean(axis=0) for arm in arms]
    found = ranks(np.array([[mean[place].mean() for place in places] for mean in means]))
    names = [arm.name for arm in arms]
    bars = [] if found.critical_difference is None else alike(found.average, found.critical_difference)
    return {
        "metric": SCORE,
        "blocks": found.blocks,
        "average": {name: float(f"{rank:{DIGITS}}") for name, rank in zip(names, found.average, strict=True)},
        "friedman_chi2": rounded(found.chi2),
        "friedman_p": rounded(found.p),
        "critical_difference": rounded(found.critical_difference),
        "alike": [[names[index] for index in bar] for bar in bars],
    }
