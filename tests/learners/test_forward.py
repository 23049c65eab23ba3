"""The modified forward pass leaves no hook behind, and runs in half precision under float32 weights."""

from __future__ import annotations

import pytest
import torch

from learners.backbones.backbone import Backbone
from learners.forward.forward import logits, modified, pooled, watched
from learners.specification.family import parse_learner
from tests.loaded import backbone, batch_of, encoded, moved

PAIRS = encoded("pairs", kind="pair")
# One of each kind: what enters a module or leaves it, weights, words before words, several layers read.
KINDS = ("adapter:8", "adapterbias", "compacter:8", "ia3", "lora:2:matrices=qkvo", "mam:prefix=4:parallel=8", "mhpa:4",
         "parallel:8:where=attention", "pfeiffer:8:wiring=code", "prompt:4")  # fmt: skip


def hooks(base: Backbone) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in base.model.modules())


@pytest.mark.parametrize("specification", [s for s in KINDS if s != "prompt:4"])
def test_hooks_live_for_one_call_even_if_it_fails(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    tensors = dict(moved(base, learner, PAIRS.task).tensors)
    added = {name: t for name, t in tensors.items() if name.startswith("added.")}
    before = hooks(base)
    with modified(base, learner.modifications, added, batch_of(base, PAIRS)["attention_mask"]):
        assert hooks(base) > before
    assert hooks(base) == before
    broken = tensors | {name: torch.zeros(3, 3, 3) for name in added}
    with pytest.raises((RuntimeError, ValueError)):
        pooled(base, learner, broken, batch_of(base, PAIRS))
    missing = {name: t for name, t in tensors.items() if ".1." not in name}
    with pytest.raises(KeyError):
        pooled(base, learner, missing, batch_of(base, PAIRS))
    assert hooks(base) == before


def test_reading_several_layers_leaves_no_hook_either() -> None:
    base, learner = backbone(), parse_learner("feature:2")
    tensors = moved(base, learner, PAIRS.task).tensors
    before = hooks(base)
    assert pooled(base, learner, tensors, batch_of(base, PAIRS)).shape == (6, 32)
    with watched(base, [0, 1]) as states:
        assert hooks(base) == before + 2
        pooled(base, learner, tensors, batch_of(base, PAIRS))
    assert len(states) == 2
    assert hooks(base) == before


@pytest.mark.parametrize("specification", [*KINDS, "full", "head", "diffpruning:0.1", "feature:2"])
def test_bfloat16_forward_trains_float32_weights(specification: str) -> None:
    half, learner = backbone("bert", "cls", "bfloat16"), parse_learner(specification)
    batch = batch_of(half, PAIRS)
    tensors = moved(backbone(), learner, PAIRS.task, scale=0.05).tensors
    assert pooled(half, learner, tensors, batch).dtype == torch.bfloat16
    found, expected = (logits(base, learner, tensors, batch) for base in (half, backbone()))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.05)
    trainable = {name: t.clone().requires_grad_(True) for name, t in tensors.items()}
    torch.autograd.backward(logits(half, learner, trainable, batch).square().sum())
    for leaf in trainable.values():
        assert leaf.grad is not None
        assert leaf.grad.dtype == torch.float32


def test_majority_answers_its_bias() -> None:
    bias = torch.tensor([0.25, -1.0, 3.0])
    output = logits(backbone(), parse_learner("majority"), {"head.bias": bias}, batch_of(backbone(), PAIRS, 5))
    assert torch.equal(output, bias.repeat(5, 1))
