"""Merging: an encoder with plain weights gives what the modified backbone gives; what has no weights is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone, changed_tensor
from learners.delta.delta import Delta
from learners.delta.initial import initial_delta
from learners.delta.merge import merged, unmergeable
from learners.forward.forward import pooled
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner
from tasks.errors import InputError
from tests.loaded import backbone, batch_of, encoded, moved
from tests.worlds import ARCHITECTURES

DATA = encoded(classes=3)
MERGEABLE = (
    "full",
    "avalanche:replay",
    "topk:1",
    "layernorm",
    "bitfit",
    "diffpruning:0.05",
    "head",
    "adapterbias",
    "adapterbias:share=both",
    "lora:4",
    "lora:2:alpha=1:matrices=qkvo",
    "lora:2:trained_scale=yes",
    "lora-ffn:4",
    "ia3",
    "vera:8",
    "adapter:4:activation=identity",
    "adapter:4:activation=identity:depth=3",
    "ia3+lora-ffn:2",
    "adapterbias+ia3",
    "adapter:4:activation=identity:where=ffn+lora-ffn:2+bitfit:biases=layers",
)
UNMERGEABLE = {
    "adapter:4": "adapter.attention is not linear",
    "adapter:4:inner_norm=input:activation=identity": "adapter.attention is not linear",
    "adapter:4:activation=identity:insertion=parallel": "the matrix at its site reads another input",
    "adapter:4:activation=identity:composition=multiply": "multiplies what it changes",
    "pfeiffer:4": "pfeiffer is not linear",
    "pfeiffer:4:activation=identity": "changes ffn.norm, which is not the output of a matrix",
    "parallel:4": "parallel.ffn is not linear",
    "mhpa:4": "mhpa is not linear",
    "compacter:4": "compacter.attention is not linear",
    "prefix:4": "has a gate",
    "prefix:4:gate=no": "prefix is not linear",
    "feature:2+lora:2": "several layers",
    "lora:2+prompt:2": "adds tokens",
    "mam": "has a gate",
    "lora:2+prefix:4": "has a gate",
    "prompt:4": "adds tokens",
    "feature:2": "several layers",
    "majority": "no model",
    "nobert": "no encoder",
    "peft": "only peft knows",
}


def unmodified(base: Backbone, state: dict[str, Tensor]) -> Tensor:
    """The pooled output of the encoder itself with other weights."""
    tensors = {f"backbone.{name}": tensor for name, tensor in state.items()}
    return pooled(base, parse_learner("full"), tensors, batch_of(base, DATA))


def at(base: Backbone, learner: Learner) -> Delta:
    return moved(base, learner, DATA.task, scale=0.2)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("specification", MERGEABLE)
def test_the_merged_encoder_gives_what_the_modified_one_gives(specification: str, model_type: str) -> None:
    base, learner = backbone(model_type), parse_learner(specification)
    delta = at(base, learner)
    if not base.architecture.anatomy.biased and specification.startswith(("adapter", "adapterbias")):
        with pytest.raises(InputError, match=r"adds a constant, but a .* model has no bias"):
            merged(base, learner, delta)
        return
    state = merged(base, learner, delta)
    with torch.inference_mode():
        expected = pooled(base, learner, delta.tensors, batch_of(base, DATA))
        found = unmodified(base, state)
        plain = unmodified(base, dict(base.weights))
    assert torch.allclose(found, expected, rtol=0, atol=1e-5)
    if delta.counts.without_head:
        assert not torch.allclose(plain, expected, atol=1e-4), "the Delta changes nothing: this shows nothing"
    assert changed_tensor(base) is None


def test_the_state_is_a_copy() -> None:
    base, learner = backbone(), parse_learner("lora:4")
    state = merged(base, learner, at(base, learner))
    assert set(state) == set(base.weights)
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    for tensor in state.values():
        tensor.zero_()
    assert changed_tensor(base) is None


def test_nothing_is_changed_where_nothing_was_learned() -> None:
    base, learner = backbone(), parse_learner("lora:4+ia3")
    state = merged(base, learner, initial_delta(base, learner, DATA.task, seed=0))
    assert all(torch.equal(state[name], weight) for name, weight in base.weights.items())


def test_a_rounded_backbone_is_merged_from_its_whole_weights() -> None:
    learner = parse_learner("lora:4")
    rounded, whole = backbone(dtype="bfloat16"), backbone()
    delta = at(whole, learner)
    states = [merged(base, learner, delta) for base in (rounded, whole)]
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())


@pytest.mark.parametrize("specification", UNMERGEABLE)
def test_what_has_no_weights_is_refused_and_says_why(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    with pytest.raises(InputError) as refused:
        merged(base, learner, Delta({}))
    assert UNMERGEABLE[specification] in refused.value.found
    assert refused.value.where == f"learner {learner.name}"


def test_every_family_is_either() -> None:
    tested = {part.split(":")[0] for specification in (*MERGEABLE, *UNMERGEABLE) for part in specification.split("+")}
    assert tested == set(families())
    architecture = backbone().architecture
    assert not any(unmergeable(parse_learner(specification), architecture) for specification in MERGEABLE)


@pytest.mark.parametrize("specification", ["adapterbias", "lora:2+adapterbias", "adapter:4:activation=identity"])
def test_without_biases_a_shift_is_told_before_anything_is_learned(specification: str) -> None:
    assert "has no bias to add it to" in unmergeable(parse_learner(specification), backbone("modernbert").architecture)
    assert unmergeable(parse_learner(specification), backbone("bert").architecture) == ""
    for fine in ("lora:2", "lora:2:trained_scale=yes", "ia3", "vera:4"):
        assert unmergeable(parse_learner(fine), backbone("modernbert").architecture) == ""
