"""Ranges of the encoder's layers: the frozen prefix, which a learner does not change, and the layers after it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from learners.backbones.architecture import Architecture, layer_module
from learners.backbones.backbone import Backbone
from learners.specification.learner import Learner
from learners.specification.tuned import Tuned

if TYPE_CHECKING:
    from torch import Tensor, nn


def frozen_layers(learner: Learner, architecture: Architecture) -> int:
    """Number of layers in the frozen prefix of a learner.

    All layers if the learner trains only a head. Otherwise the layers before the first one that the learner trains or
    its head reads. 0 if the learner tunes the embeddings, adds anything to the forward pass, or does not train.
    """
    if not learner.may_freeze_layers:
        return 0
    if learner.tuned == Tuned():
        return architecture.layers
    return architecture.layers - max(learner.tuned.top_layers, learner.layers_read)


def layer_range(backbone: Backbone, first: int, last: int) -> nn.Module:
    """The encoder with only the layers [first, last). A view with the same modules, weights and names."""
    *path, _ = layer_module(backbone.architecture, first).split(".")
    return _with_layers(backbone.model, path, [str(layer) for layer in range(first, last)])


def _with_layers(module: nn.Module, path: Sequence[str], layers: Sequence[str]) -> nn.Module:
    view = copy.copy(module)
    if path:
        view._modules = {**module._modules, path[0]: _with_layers(module.get_submodule(path[0]), path[1:], layers)}
    else:
        view._modules = {name: module._modules[name] for name in layers}
    return view


@contextmanager
def entered(backbone: Backbone, layer: int, states: Tensor) -> Iterator[None]:
    """Replace the input of a layer by `states` [B, S, d] within a `with` block."""

    def entering(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (states, *inputs[1:])

    site = backbone.model.get_submodule(layer_module(backbone.architecture, layer))
    handle = site.register_forward_pre_hook(entering)
    try:
        yield
    finally:
        handle.remove()
