"""The published wiring of every learner, against encoders and methods written out for this test."""

from __future__ import annotations

import pytest
import torch

from learners.delta.initial import initial_delta
from learners.forward.forward import pooled
from learners.specification.family import families, parse_learner
from tests.learners.plain_encoder import WRITTEN_OUT
from tests.learners.plain_methods import METHODS, written_out
from tests.loaded import batch_of, encoded, moved, sharp_backbone

PAIRS = encoded("pairs", kind="pair")
EXAMPLES = [s.replace("topk:3", "topk:2") for family in families().values() for s in family.examples]
OTHERS = [  # options that no example shows
    "adapter:8:insertion=parallel",
    "adapter:8:composition=multiply:where=ffn",
    "adapter:8:depth=4:inner_norm=bottleneck:activation=silu",
    "adapterbias:share=v",
    "bitfit:biases=layers",
    "compacter:6:terms=2:norms=yes",
    "lora:3:matrices=qk",
    "pfeiffer:8:activation=gelu",
    "pfeiffer:8:activation=tanh:wiring=code",
    "parallel:8:where=attention:inner_norm=input:trained_scale=yes",
    "parallel:8:trained_scale=yes:scale=3",
    "prefix:1",
]
JOINED = [
    "prefix:4+parallel:8:scale=4",
    "prefix:4+parallel:8:where=attention",
    "lora:2+lora-ffn:2",
    "prefix:4:mlp=0+lora-ffn:2",
    "prefix:3+ia3",
    "ia3+adapterbias",
    "bitfit+adapter:8:norms=no",
    "adapter:8:where=attention+pfeiffer:8:wiring=code",
    "layernorm+mhpa:4+compacter:8",
    "prompt:3+lora:2",
    "lora:2+prompt:3+prefix:2",
    "adapterbias+adapter:8",
    "layernorm+adapterbias",
    "feature:2+lora:2",
    "parallel:8:where=attention-output+adapter:8:where=attention",
]
FOREIGN = ("avalanche", "majority", "nobert", "peft")  # as full; two without a forward pass; that of another library
TRAINED = [s for s in (*EXAMPLES, *OTHERS, *JOINED) if s.split(":")[0] not in FOREIGN]


@pytest.mark.parametrize("model_type", WRITTEN_OUT)
@pytest.mark.parametrize("specification", TRAINED)
def test_wiring(specification: str, model_type: str) -> None:
    turn = TRAINED.index(specification) + WRITTEN_OUT.index(model_type)
    for pooling in ("cls", "mean") if model_type == "bert" else (("cls", "mean")[turn % 2],):
        base = sharp_backbone(model_type, pooling)
        learner, batch = parse_learner(specification), batch_of(base, PAIRS)
        assert not batch["attention_mask"].all(), "some places are padding"
        tensors = moved(base, learner, PAIRS.task, seed=2).tensors
        found = pooled(base, learner, tensors, batch)
        torch.testing.assert_close(found, written_out(base, specification, tensors, batch), atol=2e-5, rtol=2e-5)
        if learner.family != "head" and learner.layers_read == 1:
            start = initial_delta(base, parse_learner("head"), PAIRS.task, seed=0).tensors
            changed = (found - pooled(base, parse_learner("head"), start, batch)).abs().max()
            assert changed > 0.01, "the learner changes something"


def test_every_family_is_written_out() -> None:
    assert set(METHODS) == set(families()) - set(FOREIGN)


def test_parts_act_in_the_order_written() -> None:
    """The gate of a prefix weighs what it meets: a parallel adapter that comes later stands beside it."""
    base = sharp_backbone()
    batch = batch_of(base, PAIRS)
    first, second = (
        parse_learner(s) for s in ("prefix:4+parallel:8:where=attention", "parallel:8:where=attention+prefix:4")
    )
    tensors = moved(base, first, PAIRS.task).tensors
    assert not torch.allclose(pooled(base, first, tensors, batch), pooled(base, second, tensors, batch), atol=1e-3)


@pytest.mark.parametrize("share", ["none", "v", "alpha", "both"])
def test_adapterbias_merges_into_the_second_ffn_matrix(share: str) -> None:
    """(W₂ + v wᵀ) u + (b₂ + c v): AdapterBias costs no time once merged."""
    base = sharp_backbone()
    learner, batch = parse_learner(f"adapterbias:share={share}"), batch_of(base, PAIRS)
    tensors = moved(base, learner, PAIRS.task).tensors
    (shift,) = learner.modifications
    merged = {k: v for k, v in tensors.items() if not k.startswith("added.")}
    for layer in range(base.architecture.layers):
        v, w, c = (tensors[shift.key(layer, name)] for name in ("vector", "alpha.weight", "alpha.bias"))
        name = f"encoder.layer.{layer}.output.dense"
        merged[f"backbone.{name}.weight"] = base.weights[f"{name}.weight"] + torch.outer(v, w[0])
        merged[f"backbone.{name}.bias"] = base.weights[f"{name}.bias"] + c * v
    plain = parse_learner("full")
    expected = pooled(base, learner, tensors, batch)
    torch.testing.assert_close(pooled(base, plain, merged, batch), expected, atol=1e-5, rtol=1e-5)


def test_shared_tensors_act_in_every_layer() -> None:
    base = sharp_backbone()
    batch = batch_of(base, PAIRS)
    shared, own = parse_learner("adapterbias:share=both"), parse_learner("adapterbias")
    tensors = moved(base, shared, PAIRS.task).tensors
    copied = {k: t for k, t in tensors.items() if ".shared." not in k} | {
        own.modifications[0].key(layer, name): tensors[f"added.adapterbias.shared.{name}"]
        for layer in range(2)
        for name in ("vector", "alpha.weight", "alpha.bias")
    }
    assert torch.equal(pooled(base, shared, tensors, batch), pooled(base, own, copied, batch))
