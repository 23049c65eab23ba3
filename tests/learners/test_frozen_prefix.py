"""What lies below all that a learner changes is run once, and gives the bits that running it again would give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import learners.forward.frozen_size
from learners.backbones.architecture import MODEL_TYPES, Architecture
from learners.backbones.backbone import load_backbone
from learners.backbones.published import known_architecture
from learners.forward import bert
from learners.forward.batches import collate, evaluation_plan
from learners.forward.forward import logits
from learners.forward.frozen_layers import frozen_layers
from learners.forward.frozen_prefix import open_frozen_prefix
from learners.forward.operations import Weights
from learners.specification.family import parse_learner
from learners.training.fit import fit
from learners.training.predict import predict
from stream.execution.evaluate_job import scorer
from tests.loaded import backbone, encoded, moved

DATA = encoded("pairs", classes=3, kind="pair")
QUICK = ":epochs=3:batch_size=16"
LEARNERS = ("head", "feature:2", "topk:1", "topk:1:pooler=yes", "topk:1:sequential")


@pytest.mark.parametrize("specification", LEARNERS)
@pytest.mark.parametrize("architecture", MODEL_TYPES)
def test_predictions_are_the_same_bytes(specification: str, architecture: str) -> None:
    base, learner = backbone(architecture), parse_learner(specification)
    delta, plan = moved(base, learner, DATA.task), evaluation_plan(DATA.test)
    frozen_prefix = open_frozen_prefix(base, learner, DATA.test)
    assert frozen_prefix is not None
    expected = predict(base, learner, delta, DATA.test, plan)
    assert predict(base, learner, delta, DATA.test, plan, frozen_prefix).tobytes() == expected.tobytes()


@pytest.mark.parametrize("specification", LEARNERS)
def test_predictions_are_the_same_bytes_at_real_width_in_bfloat16(specification: str) -> None:
    base, learner = load_backbone("embedded", "bfloat16"), parse_learner(specification)
    delta, plan = moved(base, learner, DATA.task), evaluation_plan(DATA.test)
    frozen_prefix = open_frozen_prefix(base, learner, DATA.test)
    assert (
        predict(base, learner, delta, DATA.test, plan, frozen_prefix).tobytes()
        == predict(base, learner, delta, DATA.test, plan).tobytes()
    )


@pytest.mark.parametrize("specification", LEARNERS)
def test_in_any_batch_they_are_what_the_whole_model_answers(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    tensors, frozen_prefix = moved(base, learner, DATA.task).tensors, open_frozen_prefix(base, learner, DATA.train)
    assert frozen_prefix is not None

    @settings(max_examples=10)
    @given(st.lists(st.integers(0, len(DATA.train) - 1), min_size=1, max_size=12, unique=True))
    def check(chosen: list[int]) -> None:
        rows = np.array(chosen)
        batch = collate(base, DATA.train, rows)
        found = logits(base, learner, tensors, batch, frozen_prefix=frozen_prefix.of(rows, batch))
        torch.testing.assert_close(found, logits(base, learner, tensors, batch), atol=1e-5, rtol=1e-5)

    check()


@pytest.mark.parametrize(
    "specification", ["full", "layernorm", "adapter:8", "adapterbias", "bitfit", "prompt:2", "majority", "lora"]
)
def test_nothing_lies_below_what_changes_the_first_layer(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    assert frozen_layers(learner, base.architecture) == 0
    assert open_frozen_prefix(base, learner, DATA.test) is None


def test_layers_below() -> None:
    base = backbone()
    found = {s: frozen_layers(parse_learner(s), base.architecture) for s in ("head", "feature:2", "topk:1", "topk:2")}
    assert found == {"head": 2, "feature:2": 2, "topk:1": 1, "topk:2": 0}
    deep = known_architecture("bert-base-uncased")
    found = {
        s: frozen_layers(parse_learner(s), deep) for s in ("topk:1:pooler=yes", "topk:1+feature:4", "topk:5+feature")
    }
    assert found == {"topk:1:pooler=yes": 11, "topk:1+feature:4": 8, "topk:5+feature": 7}, "what is read must be run"


@pytest.mark.parametrize(("specification", "runs"), [("head", 0), ("topk:1", 1)])
def test_a_fit_runs_what_lies_below_once(specification: str, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    base, learner = backbone(), parse_learner(specification + QUICK)
    calls, layer = {0: 0, 1: 0}, bert.layer

    def counted(a: Architecture, w: Weights, n: int, *rest: Any) -> Tensor:
        calls[n] += 1
        return layer(a, w, n, *rest)

    monkeypatch.setattr(bert, "layer", counted)
    fit(base, learner, DATA, scorer(DATA.task), 0)
    once = sum(len(evaluation_plan(split).batches) for split in (DATA.train, DATA.validation))
    steps = 3 * -(-len(DATA.train) // 16) + 3 * len(evaluation_plan(DATA.validation).batches)
    assert calls == {0: once, 1: runs * steps + (once if specification == "head" else 0)}


def test_states_too_large_to_keep_are_computed_in_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    base, plan = backbone(), evaluation_plan(DATA.test)
    for specification in ("head", "topk:1"):
        learner = parse_learner(specification + QUICK)
        kept = fit(base, learner, DATA, scorer(DATA.task), 0)
        expected = predict(base, learner, kept.delta, DATA.test, plan)
        with monkeypatch.context() as patch:
            patch.setattr(learners.forward.frozen_size, "MAX_BYTES", 0)
            frozen_prefix = open_frozen_prefix(base, learner, DATA.test)
            assert frozen_prefix is not None
            assert (frozen_prefix.kept, frozen_prefix.size) == (None, 0)
            assert predict(base, learner, kept.delta, DATA.test, plan, frozen_prefix).tobytes() == expected.tobytes()
            anew = fit(base, learner, DATA, scorer(DATA.task), 0)
        for name, tensor in kept.delta.tensors.items():  # last bits follow the batches, and Adam enlarges them
            torch.testing.assert_close(anew.delta.tensors[name], tensor, atol=1e-3, rtol=1e-3)
        assert anew.flops > kept.flops


def test_dropout_does_not_act_below() -> None:
    for specification, same in (("head", True), ("topk:1", False)):
        learner = parse_learner(specification + QUICK)
        quiet = replace(learner, training=replace(learner.training, dropout=False))
        first, second = (fit(backbone(), one, DATA, scorer(DATA.task), 0).losses for one in (learner, quiet))
        assert (first == second) is same
