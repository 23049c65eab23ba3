"""Evaluation: pure, with ids that change when the bytes behind them do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from learners.delta.delta import Delta
from learners.delta.initial import initial_delta
from learners.specification.family import parse_learner
from stream.execution.evaluate_job import evaluate, scorer
from stream.storage.cell import Cell
from tasks.suite import TASKS
from tasks.task import Kind, Task
from tests.loaded import backbone, encoded

LEARNER = parse_learner("adapter:4")


def timeless(cell: Cell) -> Cell:
    return replace(cell, seconds=0.0)


@pytest.mark.parametrize("kind", ["single", "pair", "regression"])
def test_equal_inputs_give_equal_ids(kind: Kind) -> None:
    base, data = backbone(), encoded(kind=kind)
    task = replace(data.task, metric="spearman" if kind == "regression" else "accuracy")
    delta = initial_delta(base, LEARNER, task, 0)
    first = evaluate(base, LEARNER, delta, task, data.test)
    assert timeless(first) == timeless(evaluate(base, LEARNER, delta, task, data.test))
    assert (first.task, first.n, first.delta) == (task.name, len(data.test), delta.id)
    other = evaluate(base, LEARNER, initial_delta(base, LEARNER, task, 1), task, data.test)
    assert other.plan == first.plan
    assert other.delta != first.delta
    assert other.logits != first.logits


def test_the_id_of_the_logits_sees_what_the_answers_do_not() -> None:
    base, data = backbone(), encoded()
    delta = initial_delta(base, LEARNER, data.task, 0)
    shifted = Delta({**delta.tensors, "head.bias": delta.tensors["head.bias"] + 1.0})  # both logits: same answers
    first, second = (evaluate(base, LEARNER, d, data.task, data.test) for d in (delta, shifted))
    assert first.logits != second.logits
    assert (first.predictions, first.score) == (second.predictions, second.score)


def test_the_plan_belongs_to_the_rows() -> None:
    base, data = backbone(), encoded()
    delta = initial_delta(base, LEARNER, data.task, 0)
    fewer = data.test.select(np.arange(7))
    assert (
        evaluate(base, LEARNER, delta, data.task, fewer).plan
        != evaluate(base, LEARNER, delta, data.task, data.test).plan
    )
    assert evaluate(base, LEARNER, delta, data.task, fewer).n == 7


def test_a_head_that_knows_the_answer_scores_one() -> None:
    """The score is of these logits and these targets: a bias toward one class is right on that class's rows alone."""
    base, data = backbone(), encoded()
    learner = parse_learner("majority")
    for label in (0, 1):
        delta = Delta({"head.bias": torch.eye(2)[label]})
        rows = np.flatnonzero(data.test.target == label)
        assert evaluate(base, learner, delta, data.task, data.test.select(rows)).score == 1.0
        found = evaluate(base, learner, delta, data.task, data.test).score
        assert found == pytest.approx(len(rows) / len(data.test))


def test_f1_is_of_the_positive_class_by_name() -> None:
    target, logits = np.array([0, 0, 0, 1]), np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    mrpc = TASKS["mrpc"]
    assert len(mrpc.positive) > 0
    positive = mrpc.positive[0]
    for place, expected in ((0, 0.8), (1, 2 / 3)):
        labels = ("other", "other")[:place] + (positive,) + ("other",) * (1 - place)
        task = Task("x", "x", "pair", metric="f1", labels=labels, positive=mrpc.positive)
        assert scorer(task)(target, logits) == pytest.approx(expected)
