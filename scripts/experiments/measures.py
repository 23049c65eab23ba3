"""The measures that claims compare: a number per seed and task of a learner, such as its score or its forgetting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stream.study.scores import Arm, Array, by_task, value_of


class Measure(NamedTuple):
    """What claims compare: a number per seed and task.

    Attributes:
        unit: Unit of the number in words.
        factor: Factor from the stored number to that unit.
        values: From an arm, tasks and the number of parameters of the backbone to the numbers [S, T].
        exact: Number of seeds and groups of tasks from which on numbers without any spread tell: they have no noise.
            0: never; such numbers come from too few rows, or from learners that learned nothing.
    """

    unit: str
    factor: float
    values: Callable[[Arm, Sequence[str], int], Array]
    exact: int = 0


def of_metric(metric: str) -> Callable[[Arm, Sequence[str], int], Array]:
    """Values of a metric that is a mean over tasks; NaN where a task has none."""

    def values(arm: Arm, tasks: Sequence[str], backbone: int = 0) -> Array:
        return np.array([[scores.get(task, np.nan) for task in tasks] for scores in by_task(arm, metric).values()])

    return values


def deviation(arm: Arm, tasks: Sequence[str], backbone: int) -> Array:
    """Standard deviation of a task's score over seeds, [1, T]."""
    scores = of_metric("average_accuracy")(arm, tasks, backbone)
    if len(scores) < 2:
        return np.full((1, len(tasks)), np.nan)
    spread: Array = scores.std(axis=0, ddof=1, keepdims=True)
    return spread


def trained_share(arm: Arm, tasks: Sequence[str], backbone: int) -> Array:
    """Trained parameters of a task without head, as a share of the backbone, [S, T]."""
    trained = [results.cost.trained_parameters_per_task for results in arm.results]
    return np.array([[of[task] / backbone for task in tasks] for of in trained])


def chosen_size(arm: Arm, tasks: Sequence[str], backbone: int) -> Array:
    """Size of the alternative that each task chose, `adapter:64:...` -> 64, [S, T]; NaN without a choice. The mean over
    the orders of a seed."""
    sizes: dict[int, list[list[float]]] = {}
    for member, results in zip(arm.members, arm.results, strict=True):
        chosen = [results.selection[task].chosen if task in results.selection else "" for task in tasks]
        found = [re.match(r"\w+:(\d+)", each) for each in chosen]
        sizes.setdefault(member.seed, []).append([float(each[1]) if each else np.nan for each in found])
    return np.array([np.array(rows).mean(axis=0) for rows in sizes.values()])


def growth(arm: Arm, tasks: Sequence[str], backbone: int) -> Array:
    """Growth without heads after the last arrival, [S, 1]."""
    return np.array([[value_of(each, "growth_without_heads") or np.nan] for each in arm.results])


MEASURES: Mapping[str, Measure] = {
    "score": Measure("points", 100, of_metric("average_accuracy")),
    "median": Measure("points", 100, of_metric("average_accuracy")),  # of `FEWEST` seeds or more
    "forgetting": Measure("points", 100, of_metric("forgetting_chaudhry"), exact=2),
    "deviation": Measure("points of standard deviation over seeds", 100, deviation),
    "share": Measure("% of the backbone", 100, trained_share, exact=2),
    # three seeds that agree: by chance, one of three sizes is larger on the first task in 1 of 27 cases
    "size": Measure("of size", 1, chosen_size, exact=3),
    "growth": Measure("x the backbone", 1, growth, exact=2),
}


METRICS = {"score": "average_accuracy", "forgetting": "forgetting_chaudhry"}  # measures that may depend on the order
