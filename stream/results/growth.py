"""Parameter cost: how many parameters a learner keeps as tasks arrive, in multiples of the backbone.

Houlsby et al. 2019, section 3.1: N copies of a model cost N times the backbone. One frozen model with a share p of new
parameters per task costs 1 + N·p.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NotRequired, TypedDict

from learners.backbones.architecture import Architecture, encoder_parameters, parameters
from learners.delta.layout import common, delta_shapes
from learners.specification.learner import Learner


@dataclass(frozen=True)
class TaskCost:
    """Numbers of parameters of one task.

    Attributes:
        tuned: New values of backbone weights.
        added: Added parameters.
        head: Parameters of the head.
        common: Those of `tuned` and `added` that a frozen-shared learner shares between all tasks.
    """

    tuned: int
    added: int
    head: int
    common: int = 0

    @property
    def without_head(self) -> int:
        return self.tuned + self.added


def task_cost(learner: Learner, architecture: Architecture, outputs: int) -> TaskCost:
    """Returns the parameters of a task with `outputs` outputs. Needs only the configuration of the backbone.

    A pruned Delta counts with its target share of parameters. A learner that reads texts counts with all that its
    candidates may fill: a bound, of which a finished fit keeps the part that its winner uses.
    """
    sums = {"backbone": 0, "difference": 0, "added": 0, "head": 0}
    shapes = delta_shapes(learner, architecture, outputs)
    for name, shape in shapes.items():
        sums[name.split(".", 1)[0]] += prod(shape)
    shared = sum(prod(shape) for name, shape in shapes.items() if common(learner, name))
    if learner.pruning is not None:
        sums["difference"] = round(learner.pruning.target * sums["difference"])
    return TaskCost(sums["backbone"] + sums["difference"], sums["added"], sums["head"], shared)


def growth(learner: Learner, backbone: int, costs: Sequence[TaskCost], *, heads: bool) -> tuple[float, ...]:
    """Returns the total parameters after each arrival, in multiples of the backbone, [T].

    * isolated, all weights tuned: one copy per task, the original is not kept: N.
    * isolated otherwise: the backbone, and the parameters of each task: 1 + N·p.
    * sequential: tuned weights replace the old ones; added parameters count once.
    * frozen-shared: as isolated, but parameters that tasks share count once.
    * a learner that reads texts (`nobert`): the parameters of each task, without the backbone: N·p.

    Args:
        backbone: Number of parameters of the backbone.
        costs: Parameters of each task, in order of arrival.
        heads: Whether to count heads. Every learner needs one head per task.
    """
    totals, kept, head = [], 0, 0
    for cost in costs:
        kept, head = kept_after(learner, kept, cost), head + cost.head
        totals.append(total(learner, backbone, kept, head if heads else 0))
    return tuple(totals)


def kept_after(learner: Learner, kept: int, cost: TaskCost) -> int:
    """Returns the parameters kept after one more task, without heads. `kept` is the number before that task."""
    if learner.sharing == "sequential":
        return cost.added
    return kept + cost.without_head - (cost.common if kept else 0)


def total(learner: Learner, backbone: int, kept: int, heads: int) -> float:
    """Returns all parameters in multiples of the backbone. Full copies replace the backbone itself, and a learner
    that reads texts does not need it."""
    copies = learner.keeps_task_weights and learner.tuned.all
    return ((0 if copies or learner.text_model is not None else backbone) + kept + heads) / backbone


Figure = float | list[float]  # one number, or [least, most] of a learner with alternatives


class LearnerCost(TypedDict):
    """Parameters of one learner: per task without head, per head, and growth over the suite.

    Of a learner with alternatives each number is the list [least, most], unless the choice is given. Then those per
    task are means over the tasks, and `chosen` names the alternative of each task.

    Attributes:
        growth, growth_without_heads: After the last task, in multiples of the backbone.
        share_of_model, share_of_encoder: Parameters per task as a fraction of the backbone, or of its layers alone.
        chosen: Specification of the alternative of each task, if given.
        left_out: Alternatives that the backbone does not allow, if any. A run leaves them out too.
    """

    parameters_per_task: Figure
    head_parameters: Mapping[str, Figure]
    growth: Figure
    growth_without_heads: Figure
    share_of_model: Figure
    share_of_encoder: Figure
    chosen: NotRequired[Mapping[str, str]]
    left_out: NotRequired[list[str]]


class BackboneCost(TypedDict):
    """Numbers of parameters of the backbone: all, and those of its layers alone."""

    name: str
    parameters: int
    encoder_parameters: int


class CostDocument(TypedDict):
    """The document that `taskstream cost` prints."""

    backbone: BackboneCost
    tasks: int
    learners: dict[str, LearnerCost]


def plain_cost(learner: Learner, architecture: Architecture, outputs: Mapping[str, int]) -> LearnerCost:
    """Returns the row of `taskstream cost` for a learner without alternatives.

    Args:
        outputs: Number of outputs of the head, by task.
    """
    whole, encoder = parameters(architecture), encoder_parameters(architecture)
    costs = [task_cost(learner, architecture, width) for width in outputs.values()]
    each = costs[0].without_head
    return {
        "parameters_per_task": each,
        "head_parameters": dict(zip(outputs, (cost.head for cost in costs), strict=True)),
        "growth": growth(learner, whole, costs, heads=True)[-1],
        "growth_without_heads": growth(learner, whole, costs, heads=False)[-1],
        "share_of_model": each / whole,
        "share_of_encoder": each / encoder,
    }
