"""Evaluation: the scores of Deltas on their tasks, with the ids of their inputs and outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.forward.batches import evaluation_plan
from learners.forward.frozen_layers import frozen_layers
from learners.forward.frozen_prefix import FrozenPrefix
from learners.forward.pack_plan import packed_plan, row_limit
from learners.specification.learner import Learner
from learners.specification.packable import why_unpacked
from learners.training.predict import predict
from learners.training.predict_packed import Asked, predict_packed
from stream.storage.cell import Cell
from tasks.content import content_id
from tasks.encoded import EncodedSplit
from tasks.metrics import score
from tasks.standard_error import standard_error
from tasks.task import Task


def scorer(task: Task) -> Callable[[np.ndarray, np.ndarray], float]:
    """Returns the task's metric as a function of (target [n], logits [n, C]); n is the number of rows, C the width of
    the head."""
    return lambda target, logits: score(task.metric, target, logits, task.positive_class)


def evaluate(
    backbone: Backbone,
    learner: Learner,
    delta: Delta,
    task: Task,
    split: EncodedSplit,
    frozen_prefix: FrozenPrefix | None = None,
) -> Cell:
    """Scores a Delta on a split. The result depends only on the arguments and on the machine's numerics.

    Args:
        frozen_prefix: Activations of the frozen layers on this split, as for `learners.training.predict.predict`. None
            (default) computes all layers.

    Returns:
        The score, as a measured cell. Its value is None if a logit is not finite.
    """
    started = time.perf_counter()
    plan = evaluation_plan(split)
    logits = predict(backbone, learner, delta, split, plan, frozen_prefix)
    cell = _cell(Question(delta, task, split), logits, plan.id)
    return replace(cell, seconds=time.perf_counter() - started)


class Question(NamedTuple):
    """A Delta to score on rows of a task."""

    delta: Delta
    task: Task
    split: EncodedSplit


def in_shared_passes(learner: Learner, backbone: Backbone, slots: int) -> bool:
    """Whether rows of several tasks go through the encoder together. A learner that leaves the first layers as they are
    is evaluated by itself, because the output of these layers is kept."""
    architecture = backbone.architecture
    return slots > 1 and not why_unpacked(learner, architecture) and not frozen_layers(learner, architecture)


def evaluate_together(backbone: Backbone, learner: Learner, asked: Sequence[Question], slots: int) -> list[Cell]:
    """Scores Deltas of one learner in packs. Each cell is what it would be if its Delta were scored alone, with as many
    slots; its seconds are its share by tokens, padding included.

    Args:
        learner: A learner for which `in_shared_passes` holds.
        slots: Number K of slots of a pack.
    """
    started = time.perf_counter()
    most = row_limit(backbone.architecture, learner)
    plans = [packed_plan(each.split, each.task.outputs, most, slots) for each in asked]
    rows = [Asked(each.delta, each.split, plan) for each, plan in zip(asked, plans, strict=True)]
    found = predict_packed(backbone, learner, rows)
    cells = [_cell(each, logits, plan.id) for each, logits, plan in zip(asked, found, plans, strict=True)]
    tokens = [sum(shape.rows * shape.length for shape, _ in plan.slots) for plan in plans]
    each_token = (time.perf_counter() - started) / max(1, sum(tokens))
    return [replace(cell, seconds=each_token * own) for cell, own in zip(cells, tokens, strict=True)]


def _cell(asked: Question, logits: np.ndarray, plan: str) -> Cell:
    """Returns the measured cell of these logits [n, C], without its time."""
    task, target = asked.task, np.asarray(asked.split.target)
    answers = logits[:, 0] if task.kind == "regression" else logits.argmax(axis=1)
    finite = bool(np.isfinite(logits).all())
    return Cell(
        task=task.name,
        score=scorer(task)(target, logits) if finite else None,
        n=len(logits),
        logits=content_id("logits", str(logits.shape), logits.tobytes()),
        predictions=content_id("predictions", str(answers.shape), answers.tobytes()),
        delta=asked.delta.id,
        plan=plan,
        error=standard_error(task.metric, target, logits, task.positive_class) if finite else None,
        seconds=0.0,
        provenance="measured",
    )
