"""The parameter account: what a learner costs as tasks arrive, in multiples of the backbone.

Houlsby et al. 2019, section 3.1: N copies of a model count N×; what is added to one frozen model counts 1 + N·p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypedDict

from learners.backbones.architecture import Architecture, encoder_parameters, parameters
from learners.delta.layout import common, delta_shapes
from learners.specification.learner import Learner


@dataclass(frozen=True)
class TaskCost:
    """Parameters of one task: new values of backbone weights, added ones, the head; `common`, of the first two, those
    that a frozen-shared learner has in common for all tasks."""

    tuned: int
    added: int
    head: int
    common: int = 0

    @property
    def without_head(self) -> int:
        return self.tuned + self.added


def task_cost(learner: Learner, architecture: Architecture, outputs: int) -> TaskCost:
    """Parameters of a task with `outputs` classes, before any pruning, from the config alone."""
    sums = {"backbone": 0, "difference": 0, "added": 0, "head": 0}
    shapes = delta_shapes(learner, architecture, outputs)
    for name, shape in shapes.items():
        sums[name.split(".", 1)[0]] += prod(shape)
    shared = sum(prod(shape) for name, shape in shapes.items() if common(learner, name))
    if learner.pruning is not None:
        sums["difference"] = round(learner.pruning.target * sums["difference"])
    return TaskCost(sums["backbone"] + sums["difference"], sums["added"], sums["head"], shared)


def growth(learner: Learner, backbone: int, costs: Sequence[TaskCost], *, heads: bool) -> tuple[float, ...]:
    """Total parameters after each arrival, in multiples of the backbone, [T].

    * isolated, all weights tuned: each task is a copy, the original is not kept: N.
    * isolated otherwise: the backbone, and each task's own parameters: 1 + N·p.
    * sequential: tuned weights take the place of the old; what is added is added once.
    * frozen-shared: as isolated, what tasks have in common counted once.

    Args:
        backbone: Parameters of the backbone.
        heads: Whether heads, which every learner needs for every task, are counted.
    """
    totals, kept, head = [], 0, 0
    for cost in costs:
        kept, head = kept_after(learner, kept, cost), head + cost.head
        totals.append(total(learner, backbone, kept, head if heads else 0))
    return tuple(totals)


def kept_after(learner: Learner, kept: int, cost: TaskCost) -> int:
    """Parameters kept for the tasks so far, heads left out, once one more has come to the `kept` of those before."""
    if learner.sharing == "sequential":
        return cost.added
    return kept + cost.without_head - (cost.common if kept else 0)


def total(learner: Learner, backbone: int, kept: int, heads: int) -> float:
    """All parameters in multiples of the backbone, which copies take the place of."""
    copies = learner.keeps_task_weights and learner.tuned.all
    return ((0 if copies else backbone) + kept + heads) / backbone


class LearnerCost(TypedDict):
    """Parameters of one learner: of a task, of each task's head, and growth over the suite."""

    parameters_per_task: int
    head_parameters: Mapping[str, int]
    growth: float
    growth_without_heads: float
    share_of_model: float
    share_of_encoder: float


class BackboneCost(TypedDict):
    """Parameters of the backbone: all, and those of its layers alone."""

    name: str
    parameters: int
    encoder_parameters: int


class CostDocument(TypedDict):
    """What `taskstream cost` prints."""

    backbone: BackboneCost
    tasks: int
    learners: dict[str, LearnerCost]


def account(
    name: str, architecture: Architecture, learners: Mapping[str, Learner], outputs: Mapping[str, int]
) -> CostDocument:
    """The document of `taskstream cost`: every learner's parameters and growth over a suite.

    Args:
        outputs: Width of the head by task.
    """
    whole, encoder = parameters(architecture), encoder_parameters(architecture)
    document: CostDocument = {
        "backbone": {"name": name, "parameters": whole, "encoder_parameters": encoder},
        "tasks": len(outputs),
        "learners": {},
    }
    for specification, learner in learners.items():
        costs = [task_cost(learner, architecture, width) for width in outputs.values()]
        each = costs[0].without_head
        document["learners"][specification] = {
            "parameters_per_task": each,
            "head_parameters": dict(zip(outputs, (cost.head for cost in costs), strict=True)),
            "growth": growth(learner, whole, costs, heads=True)[-1],
            "growth_without_heads": growth(learner, whole, costs, heads=False)[-1],
            "share_of_model": each / whole,
            "share_of_encoder": each / encoder,
        }
    return document
