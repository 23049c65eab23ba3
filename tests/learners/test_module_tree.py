"""Modules that hold parameters under dotted names: names, order, identity, and peft's view of them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from learners.backbones.architecture import parameter_shapes
from learners.backbones.library import library_model
from learners.backbones.module_tree import module_tree
from learners.delta.peft_modules import skeleton
from tests.loaded import backbone
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES

ALL = [*ARCHITECTURES, *NEW_ARCHITECTURES]


@pytest.mark.parametrize("model_type", ALL)
def test_parameters_have_the_names_and_the_order_of_the_checkpoint(model_type: str) -> None:
    weights = {name: nn.Parameter(tensor.clone()) for name, tensor in backbone(model_type).weights.items()}
    root = module_tree(weights)
    assert list(dict(root.named_parameters())) == list(weights)
    assert all(root.get_parameter(name) is weight for name, weight in weights.items())
    other = copy.deepcopy(root)
    for name, weight in weights.items():
        assert torch.equal(other.get_parameter(name), weight)
        assert other.get_parameter(name).data_ptr() != weight.data_ptr()


def test_a_parameter_may_stand_beside_modules() -> None:
    leaves = {name: nn.Parameter(torch.zeros(2)) for name in ("a.b", "a.c.weight", "a.c.bias", "0.1.bias")}
    assert list(dict(module_tree(leaves).named_parameters())) == list(leaves)


@pytest.mark.parametrize("model_type", ALL)
def test_a_skeleton_has_the_modules_that_peft_looks_for(model_type: str) -> None:
    """Names, kinds and shapes of the layers with weights are those of the library's modules."""
    base = backbone(model_type)

    def layers(model: nn.Module) -> dict[str, tuple[type, tuple[int, ...]]]:
        kinds = (nn.Linear, nn.Embedding, nn.LayerNorm)
        found = {name: next((k for k in kinds if isinstance(m, k)), None) for name, m in model.named_modules()}
        return {n: (k, tuple(model.get_parameter(f"{n}.weight").shape)) for n, k in found.items() if k is not None}

    bare = skeleton(base.architecture)
    assert layers(bare) == layers(library_model(base))
    assert {n: tuple(p.shape) for n, p in bare.named_parameters()} == parameter_shapes(base.architecture)
    assert sum(p.untyped_storage().nbytes() for p in bare.parameters()) == 4 * len(list(bare.parameters()))
