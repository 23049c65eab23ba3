"""The forward pass of a backbone under a Delta: weights by functional call, activations by hooks at named sites.

Nothing of the backbone is edited: no module is wrapped or replaced, no weight is merged. Hooks live for one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from learners.backbone import Backbone
from learners.learner import Learner, Modification
from learners.sites import module_name

Batch = Mapping[str, Tensor]


def pooled(backbone: Backbone, learner: Learner, tensors: Mapping[str, Tensor], batch: Batch) -> Tensor:
    """Pooled output [B, d] of the modified backbone, in the backbone's dtype.

    Args:
        tensors: Tensors of a Delta by name, or leaves being trained; cast to the backbone's dtype here, so that
            float32 weights are trained through a bfloat16 forward pass.
        batch: `input_ids`, `attention_mask` [B, S], and `token_type_ids` where the backbone takes them.
    """
    dtype = backbone.dtype
    weights = {name[len("backbone.") :]: t.to(dtype) for name, t in tensors.items() if name.startswith("backbone.")}
    added = {name: t.to(dtype) for name, t in tensors.items() if name.startswith("added.")}
    with modified(backbone, learner.modifications, added):
        output = torch.func.functional_call(backbone.model, weights, args=(), kwargs=dict(batch))
    hidden: Tensor = output.last_hidden_state  # [B, S, d]
    if backbone.pooling == "mean":
        mask = batch["attention_mask"].unsqueeze(-1).to(dtype)  # [B, S, 1]
        return (hidden * mask).sum(1) / mask.sum(1)
    pooler: Tensor | None = getattr(output, "pooler_output", None)
    return hidden[:, 0] if pooler is None else pooler


def logits(
    backbone: Backbone, learner: Learner, tensors: Mapping[str, Tensor], batch: Batch, head_dropout: float = 0.0
) -> Tensor:
    """Logits [B, C], float32. A learner that does not train answers its bias for every row."""
    if not learner.trains:
        return tensors["head.bias"].expand(len(batch["input_ids"]), -1)
    features = pooled(backbone, learner, tensors, batch).float()
    features = nn.functional.dropout(features, head_dropout, training=head_dropout > 0)
    return nn.functional.linear(features, tensors["head.weight"], tensors["head.bias"])


@contextmanager
def modified(
    backbone: Backbone, modifications: tuple[Modification, ...], tensors: Mapping[str, Tensor]
) -> Iterator[None]:
    """Install the modifications' hooks for the length of a `with` block."""
    handles: list[torch.utils.hooks.RemovableHandle] = []
    try:
        for modification in modifications:
            for layer in range(backbone.architecture.layers):
                handles += _install(backbone, modification, layer, tensors)
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def dropout_active(backbone: Backbone, active: bool) -> Iterator[None]:
    """Switch the backbone's dropout for a `with` block: a mode of its modules, no tensor is touched."""
    before = backbone.model.training
    backbone.model.train(active)
    try:
        yield
    finally:
        backbone.model.train(before)


def _install(
    backbone: Backbone, modification: Modification, layer: int, tensors: Mapping[str, Tensor]
) -> list[torch.utils.hooks.RemovableHandle]:
    form, architecture = modification.form, backbone.architecture
    names = form.shapes(1, 1)
    own = {name: tensors[modification.key(layer, name)] for name in names}
    read: dict[str, Tensor] = {}  # what a parallel form reads, kept from its module to the site

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        read["x"] = output

    def change(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        delta = form.change(own, read.pop("x") if modification.reads else output)
        return output + (delta if modification.scale == 1.0 else modification.scale * delta)

    site = backbone.model.get_submodule(module_name(architecture, modification.site, layer))
    handles = [site.register_forward_hook(change)]
    if modification.reads:
        source = backbone.model.get_submodule(module_name(architecture, modification.reads, layer))
        handles.append(source.register_forward_hook(keep))
    return handles
