"""Evaluation: the score of a Delta on a task, with the ids of its inputs and outputs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.forward.batches import evaluation_plan
from learners.forward.frozen_prefix import FrozenPrefix
from learners.specification.learner import Learner
from learners.training.predict import predict
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
    answers = logits[:, 0] if task.kind == "regression" else logits.argmax(axis=1)
    target, finite = np.asarray(split.target), bool(np.isfinite(logits).all())
    return Cell(
        task=task.name,
        score=scorer(task)(target, logits) if finite else None,
        n=len(split),
        logits=content_id("logits", str(logits.shape), logits.tobytes()),
        predictions=content_id("predictions", str(answers.shape), answers.tobytes()),
        delta=delta.id,
        plan=plan.id,
        seconds=time.perf_counter() - started,
        provenance="measured",
        error=standard_error(task.metric, target, logits, task.positive_class) if finite else None,
    )
