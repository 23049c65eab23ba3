"""Where learners start: which as the backbone bit for bit, which near it, which elsewhere, and why."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.library import library_model
from learners.delta.initial import initial_delta
from learners.forward.forward import pooled
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner
from tests.loaded import backbone, batch_of, encoded, new_backbone, sharp_backbone, untouched
from tests.worlds import ARCHITECTURES

PAIRS = encoded("pairs", kind="pair")
every = pytest.mark.parametrize("model_type", ARCHITECTURES)
both_poolings = pytest.mark.parametrize("pooling", ["cls", "mean"])

# Copies of the weights, differences of zero; v = 0 (AdapterBias), b = 0 (VeRA), B = 0 (LoRA, and peft's own), W₂ = 0
# (parallel), l = 1 (IA3).
EXACT = ("adapterbias", "avalanche", "bitfit", "diffpruning", "full", "head", "ia3", "layernorm", "lora", "lora-ffn",
         "parallel", "peft", "topk", "vera")  # fmt: skip
NEAR = ("adapter", "compacter", "mhpa", "pfeiffer")  # both matrices drawn, small
ELSEWHERE = ("mam", "prefix", "prompt")  # places that take a share of the attention, whatever they hold
WIDER = ("feature",)  # its head reads several layers
UNTRAINED = ("majority", "nobert")


def examples(*names: str) -> list[str]:
    """Their examples, on backbones of two layers."""
    return [s.replace("topk:3", "topk:2") for name in names for s in families()[name].examples]


def start(base: Backbone, specification: str) -> tuple[Learner, dict[str, Tensor]]:
    learner = parse_learner(specification)
    return learner, dict(initial_delta(base, learner, PAIRS.task, seed=0).tensors)


def test_every_family_starts_somewhere() -> None:
    assert sorted((*EXACT, *NEAR, *ELSEWHERE, *WIDER, *UNTRAINED)) == sorted(families())


@every
@both_poolings
@pytest.mark.parametrize("specification", [*examples(*EXACT), "lora:2+lora-ffn:2+ia3+bitfit"])
def test_the_start_is_the_backbone_bit_for_bit(model_type: str, pooling: str, specification: str) -> None:
    """The mean is a sum in another order; methods of peft compute in the modules of transformers."""
    base = backbone(model_type, pooling)
    learner, tensors = start(base, specification)
    batch = batch_of(base, PAIRS)
    found, expected = pooled(base, learner, tensors, batch), untouched(base, batch)
    if pooling == "cls" and not learner.peft:
        assert torch.equal(found, expected)
    else:
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


@every
@pytest.mark.parametrize("specification", examples(*NEAR))
def test_the_start_is_near_the_backbone(model_type: str, specification: str) -> None:
    base = backbone(model_type)
    learner, tensors = start(base, specification)
    batch = batch_of(base, PAIRS)
    distance = (pooled(base, learner, tensors, batch) - untouched(base, batch)).abs().max()
    assert 0 < distance < 1e-2


@every
@pytest.mark.parametrize("specification", examples(*ELSEWHERE))
def test_the_start_is_not_the_backbone(model_type: str, specification: str) -> None:
    base = sharp_backbone(model_type)
    learner, tensors = start(base, specification)
    batch = batch_of(base, PAIRS)
    assert (pooled(base, learner, tensors, batch) - untouched(base, batch)).abs().max() > 3e-2


@every
@both_poolings
def test_feature_reads_the_top_layers_as_they_are(model_type: str, pooling: str) -> None:
    """The library's own states, side by side; of the last layer alone it is what `head` reads, pooler included."""
    base = new_backbone(model_type, pooling)
    batch = batch_of(base, PAIRS)
    learner, tensors = start(base, "feature:2")
    states = library_model(base)(**batch, output_hidden_states=True).hidden_states[-2:]
    mask = batch["attention_mask"].unsqueeze(-1)
    pool = (lambda h: (h * mask).sum(1) / mask.sum(1)) if pooling == "mean" else (lambda h: h[:, 0])
    expected = torch.cat([pool(state) for state in states], dim=-1)
    torch.testing.assert_close(pooled(base, learner, tensors, batch), expected, atol=1e-6, rtol=1e-6)
    assert tensors["head.weight"].shape == (2, 32)
    base = backbone(model_type, pooling)
    assert pooled(base, learner, tensors, batch).shape == (6, 32)
    alone, tensors = start(base, "feature:1")
    assert torch.equal(pooled(base, alone, tensors, batch), pooled(base, parse_learner("head"), tensors, batch))


@every
@both_poolings
def test_adapters_start_the_nearer_the_smaller_their_deviation(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    batch = batch_of(base, PAIRS)
    expected = untouched(base, batch)
    for std, bound in (("1e-7", 1e-5), ("1e-3", 1e-3), ("1e-2", 3e-2)):
        learner, tensors = start(base, f"adapter:8:std={std}")
        assert (pooled(base, learner, tensors, batch) - expected).abs().max() < bound


@every
@pytest.mark.parametrize(
    ("specification", "last"),
    [
        ("adapter:8:std=1", "up.weight"),
        ("adapter:8:std=1:composition=multiply:insertion=parallel:depth=3", "up.weight"),
        ("compacter:8", "up.s"),
        ("mhpa:8", "values"),
        ("pfeiffer:8", "up.weight"),
    ],
)
def test_without_its_last_factor_a_change_is_none_bit_for_bit(model_type: str, specification: str, last: str) -> None:
    base = backbone(model_type)
    batch = batch_of(base, PAIRS)
    learner, tensors = start(base, specification)
    tensors |= {name: torch.zeros_like(t) for name, t in tensors.items() if name.endswith(last)}
    assert torch.equal(pooled(base, learner, tensors, batch), untouched(base, batch))


@every
@both_poolings
def test_a_vector_of_ones_changes_nothing_before_a_norm(model_type: str, pooling: str) -> None:
    base = backbone(model_type, pooling)
    batch = batch_of(base, PAIRS)
    learner, tensors = start(base, "adapterbias:vector=ones:std=0.5")
    torch.testing.assert_close(pooled(base, learner, tensors, batch), untouched(base, batch), atol=1e-5, rtol=1e-5)
    tensors["added.adapterbias.0.vector"][0] = 2.0
    assert not torch.allclose(pooled(base, learner, tensors, batch), untouched(base, batch), atol=1e-4)
