"""Prediction is a pure function: the same bytes every time, whatever was drawn or switched before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from learners.delta.delta import load_delta, save_delta
from learners.forward.batches import Plan, evaluation_plan
from learners.specification.family import parse_learner
from learners.training.predict import predict
from tests.loaded import backbone, encoded, moved

DATA = encoded("pairs", classes=3, kind="pair")


@pytest.mark.parametrize("specification", ["full", "adapter:8", "adapterbias:share=alpha", "head"])
def test_the_same_bytes_again(specification: str, tmp_path: object) -> None:
    base, learner = backbone(), parse_learner(specification)
    delta, plan = moved(base, learner, DATA.task), evaluation_plan(DATA.test)
    first = predict(base, learner, delta, DATA.test, plan)
    assert (first.dtype, first.shape) == (np.float32, (16, 3))
    torch.rand(100)
    with torch.no_grad():
        predict(base, parse_learner("head"), moved(base, parse_learner("head"), DATA.task), DATA.test, plan)
    state = torch.get_rng_state()
    assert predict(base, learner, delta, DATA.test, plan).tobytes() == first.tobytes()
    assert torch.equal(torch.get_rng_state(), state)


def test_rows_come_back_in_the_order_of_the_split() -> None:
    base, learner = backbone(), parse_learner("full")
    delta = moved(base, learner, DATA.task)
    one_by_one = predict(base, learner, delta, DATA.test, Plan(tuple(np.array([row]) for row in range(16))))
    sorted_rows = predict(base, learner, delta, DATA.test, evaluation_plan(DATA.test, 4))
    np.testing.assert_allclose(sorted_rows, one_by_one, atol=1e-5)
    assert len(np.unique(one_by_one[:, 0].round(4))) > 8, "rows differ, so a wrong order would show"


def test_a_stored_delta_predicts_the_same_bytes(tmp_path_factory: pytest.TempPathFactory) -> None:
    base, learner = backbone(), parse_learner("adapterbias:l0")
    delta = moved(base, learner, DATA.task)
    tensors = {n: t.where(t.abs() > 0.2, 0.0) if "alpha.weight" in n else t for n, t in delta.tensors.items()}
    delta = replace(delta, tensors=tensors, pruned=frozenset(n for n in tensors if "alpha.weight" in n))
    path, plan = tmp_path_factory.mktemp("delta") / "x", evaluation_plan(DATA.test)
    save_delta(delta, path)
    outputs = [predict(base, learner, d, DATA.test, plan) for d in (delta, load_delta(path, delta.id))]
    assert outputs[0].tobytes() == outputs[1].tobytes()


def test_majority_answers_the_same_for_every_row() -> None:
    base, learner = backbone(), parse_learner("majority")
    delta = replace(moved(base, parse_learner("head"), DATA.task), tensors={"head.bias": torch.tensor([1.0, 0.5, 2.0])})
    output = predict(base, learner, delta, DATA.test, evaluation_plan(DATA.test))
    assert (output == [1.0, 0.5, 2.0]).all()
