"""The hook of the forward pass, and half precision under float32 weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from learners.backbones.sites import ROLES, Role
from learners.delta.layout import delta_shapes
from learners.forms import LowRank
from learners.forward.change import Reads, change_by
from learners.forward.forward import STATES, logits, pooled
from learners.forward.prepared import prepared
from learners.specification.family import parse_learner
from tasks.errors import InputError
from tests.loaded import backbone, batch_of, encoded, moved
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES

PAIRS = encoded("pairs", kind="pair")
# One of each kind: changes before and after a matrix, weights, words before words, several layers read.
KINDS = ("adapter:8", "adapterbias", "compacter:8", "ia3", "lora:2:matrices=qkvo", "mam:prefix=4:parallel=8", "mhpa:4",
         "parallel:8:where=attention", "pfeiffer:8:wiring=code", "prompt:4")  # fmt: skip


@pytest.mark.parametrize("model_type", [*ARCHITECTURES, *NEW_ARCHITECTURES])
def test_the_hook_is_called_at_every_site_of_every_layer(model_type: str) -> None:
    base, calls = backbone(model_type), list[tuple[int, Role]]()

    def change(site: Role, layer: int, h: Tensor, reads: Reads) -> Tensor:
        calls.append((layer, site))
        return h

    for _ in STATES[base.architecture.model_type](base.architecture, base.encoder, batch_of(base, PAIRS), change):
        pass
    inside = set(ROLES) - {"embeddings.norm", "pooler"}
    twice = {"attention.query", "attention.key"} if model_type == "deberta-v2" else set()  # of positions too
    for layer in range(base.architecture.layers):
        found = [site for called, site in calls if called == layer]
        assert set(found) == inside
        assert all(found.count(site) == 1 + (site in twice) for site in inside)


def test_a_form_cannot_read_what_comes_later() -> None:
    base, learner = backbone(), parse_learner("lora:2")
    late = replace(learner.modifications[0], form=LowRank(2), reads="ffn.intermediate")
    assert late.site == "attention.query"
    tensors = {
        late.key(n, name): torch.zeros(s) for n in range(2) for name, s in late.shapes(base.architecture).items()
    }
    batch = batch_of(base, PAIRS)
    change = change_by(base.architecture, (late,), tensors, base.encoder, batch["attention_mask"])
    with pytest.raises(InputError, match=r"cannot read ffn\.intermediate at attention\.query"):
        next(STATES[base.architecture.model_type](base.architecture, base.encoder, batch, change))


@pytest.mark.parametrize("site", ["embeddings.norm", "pooler"])
def test_a_change_outside_the_layers_is_refused(site: Role) -> None:
    learner = parse_learner("ia3")
    outside = replace(learner, modifications=(replace(learner.modifications[0], site=site),))
    with pytest.raises(InputError, match=f"outside the layers; expected attention.input, .*; found {site}"):
        delta_shapes(outside, backbone().architecture, 2)


@pytest.mark.parametrize("specification", [s for s in KINDS if s != "prompt:4"])
def test_a_tensor_that_is_missing_is_an_error(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    tensors = moved(base, learner, PAIRS.task).tensors
    missing = {name: t for name, t in tensors.items() if ".1." not in name}
    with pytest.raises(KeyError):
        pooled(base, learner, missing, batch_of(base, PAIRS))


def test_reading_several_layers() -> None:
    base, learner = backbone(), parse_learner("feature:2")
    batch = batch_of(base, PAIRS)
    found = pooled(base, learner, moved(base, learner, PAIRS.task).tensors, batch)
    layers = STATES[base.architecture.model_type](base.architecture, base.encoder, batch)
    assert torch.equal(found, torch.cat([state[:, 0] for state in layers], dim=-1))


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_a_tuned_part_of_the_fused_projections_takes_its_place(name: str) -> None:
    """A Delta that tunes the key projection alone: the fused tensor has its new rows, and the others as before."""
    base = backbone()
    key = f"encoder.layer.1.attention.self.key.{name}"
    weights = prepared(base, {f"backbone.{key}": base.weights[key] + 1}).weights
    d = base.architecture.hidden
    whole, before = weights[f"encoder.layer.1.qkv.{name}"], base.fused[f"encoder.layer.1.qkv.{name}"]
    assert torch.equal(whole[d : 2 * d], base.weights[key] + 1)
    assert torch.equal(whole[:d], before[:d])
    assert torch.equal(whole[2 * d :], before[2 * d :])
    assert weights[f"encoder.layer.0.qkv.{name}"] is base.fused[f"encoder.layer.0.qkv.{name}"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fused_projections_take_no_memory(dtype: str) -> None:
    base = backbone("bert", "cls", dtype)  # type: ignore[arg-type]
    key = base.computed["encoder.layer.0.attention.self.key.weight"]
    whole = base.fused["encoder.layer.0.qkv.weight"]
    assert key.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()


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
