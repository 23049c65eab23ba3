"""What stays the same during a fit: its inputs, and what is computed from them once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.delta.initial import frozen_names
from learners.forward.batches import Plan, evaluation_plan
from learners.forward.flops import flops_per_row
from learners.forward.frozen_prefix import FrozenPrefix, open_frozen_prefix
from learners.specification.learner import Learner
from learners.training.loss import target_scale
from tasks.encoded import EncodedTask
from tasks.seeds import order_seed


@dataclass(frozen=True, eq=False)
class Fixed:
    """What stays the same during a fit.

    Attributes:
        order: Seed of the order of the training rows.
        mean, deviation: Scale of the targets.
        steps: Number of steps of all epochs.
        plan: Batches of the validation rows.
        frozen_prefix, frozen_validation: Output of the frozen prefix for the training and validation rows.
        per_row: Coefficients of the FLOPs of a step.
        sparse: Names of the tensors that an earlier task has pruned.
    """

    backbone: Backbone
    learner: Learner
    data: EncodedTask
    order: int
    mean: float
    deviation: float
    steps: int
    plan: Plan
    frozen_prefix: FrozenPrefix | None
    frozen_validation: FrozenPrefix | None
    per_row: np.ndarray
    sparse: frozenset[str]


def fixed_inputs(backbone: Backbone, learner: Learner, data: EncodedTask, seed: int, previous: Delta | None) -> Fixed:
    """Returns what stays the same during a fit; arguments as for `learners.training.fit.fit`.

    Runs the frozen prefix, also for a fit that goes on from a state, which does not hold its output.
    """
    mean, deviation = target_scale(data)
    frozen = frozen_names(learner, previous)
    frozen_prefix, frozen_validation = (
        open_frozen_prefix(backbone, learner, split) for split in (data.train, data.validation)
    )
    per_row = flops_per_row(
        backbone.architecture,
        learner,
        data.task.outputs,
        backward=True,
        frozen=frozen,
        above=frozen_prefix is not None and frozen_prefix.kept is not None,
        load=lambda: backbone,
    )
    return Fixed(
        backbone=backbone,
        learner=learner,
        data=data,
        order=order_seed(seed, data.task.name),
        mean=mean,
        deviation=deviation,
        steps=max(1, learner.training.epochs * -(-len(data.train) // learner.training.batch_size)),
        plan=evaluation_plan(data.validation),
        frozen_prefix=frozen_prefix,
        frozen_validation=frozen_validation,
        per_row=per_row,
        sparse=frozen & previous.pruned if previous is not None else frozenset(),
    )
