"""Counts the FLOPs of jobs without doing them, from the lengths of their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone
from learners.forward.batches import Plan, evaluation_plan, training_plan
from learners.forward.flops import coefficients
from learners.forward.frozen_size import is_stored
from learners.forward.polynomial import total_flops
from learners.specification.alternatives import task_learner
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from stream.engine.context import RunContext
from stream.execution.workbench import OPEN_TASKS, sampled_task
from stream.storage.remembered import remembered
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.home import facts_folder

ITEMSIZE = {"float32": 4, "bfloat16": 2}  # bytes of a number


@dataclass(frozen=True)
class RowFlops:
    """FLOPs of a learner per row, as coefficients (`learners.forward.flops`): for one output, and for each further one.

    Attributes:
        forward, step: Of the forward pass; of a training step, forward and backward.
        forward_above, step_above: The same, without the frozen prefix.
    """

    forward: tuple[tuple[float, ...], ...]
    forward_above: tuple[tuple[float, ...], ...]
    step: tuple[tuple[float, ...], ...]
    step_above: tuple[tuple[float, ...], ...]


@dataclass(eq=False)
class JobFlops:
    """Counts the FLOPs of jobs from the lengths of their rows.

    Attributes:
        context: The run.
        rows: Returns the rows of a task.
        counted: Batch shapes by task, split and batch size: counted once for all learners.
        of_rows: FLOPs per row of each learner, by specification.
    """

    context: RunContext
    rows: Callable[[str], EncodedTask] = field(init=False)
    counted: dict[tuple[str, str, int], Counter[tuple[int, int]]] = field(default_factory=dict)
    of_rows: dict[str, RowFlops] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = lru_cache(OPEN_TASKS)(partial(sampled_task, self.context.setup()))

    def fit(self, name: str, task: str, alternative: str | None = None) -> float:
        """Returns the FLOPs of a fit of learner `name` that runs all its epochs.

        Args:
            alternative: Which of its alternatives is fitted. None (default) for a learner without alternatives.
        """
        learner, data = task_learner(self.context.learners[name], alternative), self.rows(task)
        if not learner.trains:
            return 0.0
        training, each, outputs = learner.training, self._per_row(name, alternative), data.task.outputs
        cached = self._stored(learner, data.train)
        step = _coefficients(each.step_above if cached else each.step, outputs)
        flops = training.epochs * self._sum(step, task, "train", training.batch_size)
        if cached:
            frozen = _coefficients(each.forward, 1) - _coefficients(each.forward_above, 1)
            flops += self._sum(frozen, task, "train", 0)
        return flops

    def cell(self, name: str, task: str) -> float:
        """Returns the FLOPs of one evaluation of learner `name` on the test rows: of all layers, or only of those above
        the layers whose activations are cached. The padding of packs is not counted."""
        learner, data = self.context.learners[name], self.rows(task)
        if not learner.trains:
            return 0.0
        each, cached = self._per_row(name), self.context.setup().share_activations and self._stored(learner, data.test)
        row = _coefficients(each.forward_above if cached else each.forward, data.task.outputs)
        return self._sum(row, task, "test", 0)

    def _stored(self, learner: Learner, split: EncodedSplit) -> bool:
        return is_stored(self.context.known.architecture, learner, split, ITEMSIZE[self.context.config.dtype])

    def _per_row(self, name: str, alternative: str | None = None) -> RowFlops:
        """Returns the FLOPs of a learner per row. Only a method of peft needs the backbone, once on each machine."""
        key = alternative or name
        if key not in self.of_rows:
            context = self.context
            learner, architecture = task_learner(context.learners[name], alternative), context.known.architecture
            compute = partial(row_flops, architecture, learner, lambda: context.backbone)
            inputs = {"backbone": context.known.id, "learner": recipe_of(learner)}
            self.of_rows[key] = remembered(RowFlops, inputs, facts_folder(), compute) if learner.peft else compute()
        return self.of_rows[key]

    def _sum(self, per_row: np.ndarray, task: str, split: str, batch_size: int) -> float:
        """Returns the FLOPs of all rows of a split, in training batches of `batch_size` rows; 0 stands for the batches
        of the evaluation plan."""
        key = task, split, batch_size
        if key not in self.counted:
            rows: EncodedSplit = getattr(self.rows(task), split)
            # The fit will draw other batches; for an estimate any draw will do.
            plan = training_plan(rows, batch_size, 0, 0) if batch_size else evaluation_plan(rows)
            self.counted[key] = shapes_of(rows, plan)
        return sum(count * total_flops(per_row, *shape) for shape, count in self.counted[key].items())


def row_flops(architecture: Architecture, learner: Learner, load: Callable[[], Backbone]) -> RowFlops:
    """Counts the FLOPs of a learner per row. `load` returns the backbone, which only a method of peft needs."""

    def counted(backward: bool, above: bool) -> tuple[tuple[float, ...], ...]:
        parts = coefficients(architecture, learner, backward=backward, above=above, load=load)
        return tuple(tuple(map(float, part)) for part in parts)

    return RowFlops(
        forward=counted(False, False),
        forward_above=counted(False, True),
        step=counted(True, False),
        step_above=counted(True, True),
    )


def _coefficients(parts: tuple[tuple[float, ...], ...], outputs: int) -> np.ndarray:
    one, each = map(np.array, parts)
    return np.asarray(one + (outputs - 1) * each)


def shapes_of(split: EncodedSplit, plan: Plan) -> Counter[tuple[int, int]]:
    """Returns the number of batches of a plan by shape: (rows, longest row in tokens)."""
    return Counter((len(rows), int(split.lengths[rows].max())) for rows in plan.batches)
