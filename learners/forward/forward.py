"""The forward pass of a backbone under a Delta: weights by functional call, activations by hooks at named sites.

Nothing of the backbone is edited: no module is wrapped or replaced, no weight is merged. Hooks live for one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from learners.backbones.backbone import Backbone
from learners.backbones.sites import FED_BY, layer_module, word_table
from learners.delta.delta import is_head
from learners.delta.peft_modules import PART as PEFT
from learners.delta.peft_modules import injected_model
from learners.forms import Gated
from learners.forward.activation_capture import ActivationCapture, own, replaced
from learners.forward.dropout import FastDropout, dropout
from learners.forward.layer_range import entered, frozen_layers, layer_range
from learners.specification.learner import Learner
from learners.specification.modification import Modification

Batch = Mapping[str, Tensor]
PROMPT = "added.prompt.embeddings"  # [l, e], e the width of the embedding tables


def pooled(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor],
    batch: Batch,
    frozen_prefix: Tensor | None = None,
) -> Tensor:
    """Pooled output of the modified backbone, in its dtype: [B, d], or [B, k d] where a head reads k layers.

    Args:
        tensors: Tensors of a Delta by name, or leaves being trained; cast to the backbone's dtype here, so that
            float32 weights are trained through a bfloat16 forward pass.
        batch: `input_ids`, `attention_mask` [B, S], and `token_type_ids` where the backbone takes them.
        frozen_prefix: States [B, S, d] that leave the layers below all that the learner changes, which are then not
            run; where no layer lies above, what is asked for.
    """
    layers = backbone.architecture.layers
    first = 0 if frozen_prefix is None else frozen_layers(learner, backbone.architecture)
    if frozen_prefix is not None and first == layers:
        return frozen_prefix
    ready = in_dtype(backbone, tensors)
    weights = {name[len("backbone.") :]: tensor for name, tensor in ready.items() if name.startswith("backbone.")}
    added = {name: tensor for name, tensor in ready.items() if name.startswith("added.")}
    model = layer_range(backbone, first, layers) if first else encoder_of(backbone, learner)
    weights |= {name[len(PEFT) :]: tensor for name, tensor in added.items() if name.startswith(PEFT)}
    inputs = dict(batch)
    if learner.prompt:
        words = word_table(backbone.architecture)
        inputs = prompted(inputs, added[PROMPT], weights.get(words, backbone.model.get_parameter(words)))
    read_too = range(layers - learner.layers_read, layers - 1)  # of the layers read, all but the last
    with (
        modified(backbone, learner.modifications, added, inputs["attention_mask"]),
        nullcontext() if frozen_prefix is None else entered(backbone, first, frozen_prefix),
        watched(backbone, read_too) as states,
    ):
        # No encoder ties weights, and to look for ties takes a millisecond.
        output = torch.func.functional_call(model, weights, args=(), kwargs=inputs, tie_weights=False)
        if learner.layers_read > 1:
            read = [*states, output.last_hidden_state]
            return torch.cat([_pool(backbone, hidden, batch) for hidden in read], dim=-1)
        hidden: Tensor = output.last_hidden_state[:, learner.prompt :]  # [B, S, d], the prompt's places left out
        pooler: Tensor | None = getattr(output, "pooler_output", None)
        if backbone.pooling == "mean" or pooler is None:
            return _pool(backbone, hidden, batch)
        if not learner.prompt:
            return pooler
        head: Any = backbone.model.pooler  # what came out is of the prompt's first place
        return cast(Tensor, head(hidden))


def encoder_of(backbone: Backbone, learner: Learner) -> nn.Module:
    """The backbone's encoder, or its copy with a method of peft in it.

    Raises:
        InputError: As `learners.delta.peft_modules.injected_model`.
    """
    return injected_model(backbone, learner.peft) if learner.peft else backbone.model


def in_dtype(backbone: Backbone, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a Delta as the forward pass takes them: the body in the backbone's dtype, changes of weights as
    the weights that they make. What is so already stays as it is."""
    dtype, found = backbone.dtype, dict[str, Tensor]()
    for name, tensor in tensors.items():
        if name.startswith("difference."):
            key = name[len("difference.") :]
            found[f"backbone.{key}"] = (backbone.weights[key] + tensor).to(dtype)
        else:
            found[name] = tensor if is_head(name) else tensor.to(dtype)
    return found


def _pool(backbone: Backbone, hidden: Tensor, batch: Batch) -> Tensor:
    """The first token of hidden [B, S, d], or the mean over tokens: [B, d]."""
    if backbone.pooling == "cls":
        return hidden[:, 0]
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)  # [B, S, 1]
    return (hidden * mask).sum(1) / mask.sum(1)


def prompted(inputs: dict[str, Tensor], prompt: Tensor, table: Tensor) -> dict[str, Tensor]:
    """Inputs with l learned vectors [l, e] before the word vectors of each row, attended to as tokens are.

    Positions count on from the prompt; its token type is 0.
    """
    ids = inputs.pop("input_ids")
    before = (len(ids), len(prompt))
    inputs["inputs_embeds"] = torch.cat([prompt.expand(*before, -1), nn.functional.embedding(ids, table)], dim=1)
    inputs["attention_mask"] = torch.cat([ids.new_ones(before), inputs["attention_mask"]], dim=1)
    if "token_type_ids" in inputs:
        inputs["token_type_ids"] = torch.cat([ids.new_zeros(before), inputs["token_type_ids"]], dim=1)
    return inputs


def logits(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor],
    batch: Batch,
    head_dropout: float = 0.0,
    frozen_prefix: Tensor | None = None,
) -> Tensor:
    """Logits [B, C], float32, of what `pooled` gives. A learner that does not train answers its bias for every row."""
    if not learner.trains:
        return tensors["head.bias"].expand(len(batch["input_ids"]), -1)
    features = pooled(backbone, learner, tensors, batch, frozen_prefix).float()
    if head_dropout > 0:
        features = dropout(features, head_dropout)
    return nn.functional.linear(features, tensors["head.weight"], tensors["head.bias"])


@contextmanager
def modified(
    backbone: Backbone, modifications: tuple[Modification, ...], tensors: Mapping[str, Tensor], mask: Tensor
) -> Iterator[None]:
    """Install the modifications' hooks for the length of a `with` block.

    What a form reads beside what it modifies is kept as it passes, changes of other modifications included.

    Args:
        mask: 1 for tokens, 0 for padding, [B, S].
    """
    handles: list[RemovableHandle] = []
    try:
        parts = [tuple(modification.shapes(backbone.architecture)) for modification in modifications]
        for layer in range(backbone.architecture.layers):
            capture = ActivationCapture(backbone, layer, mask)
            for modification, names in zip(modifications, parts, strict=True):
                named = {name: tensors[modification.key(layer, name)] for name in names}
                handles.append(_install(modification, capture, named))
            handles += capture.watch()  # after all that change what passes
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched(backbone: Backbone, layers: Iterable[int]) -> Iterator[list[Tensor]]:
    """What leaves these layers in a `with` block, [B, S, d] each, in the order in which it does.

    Not by `output_hidden_states`, for which transformers leaves hooks of its own on the modules, for good.
    """
    states: list[Tensor] = []

    def leaving(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        states.append(output[0] if isinstance(output, tuple) else output)

    modules = [backbone.model.get_submodule(layer_module(backbone.architecture, layer)) for layer in layers]
    handles = [module.register_forward_hook(leaving) for module in modules]
    try:
        yield states
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def dropout_active(backbone: Backbone, active: bool) -> Iterator[None]:
    """Switch the backbone's dropout for a `with` block: a mode of its modules, no tensor is touched."""
    before, architecture = backbone.model.training, backbone.architecture
    draws = active and (architecture.hidden_dropout > 0 or architecture.attention_dropout > 0)
    if before != active:  # all modules are in one mode
        backbone.model.train(active)
    try:
        with FastDropout() if draws else nullcontext():
            yield
    finally:
        if before != active:
            backbone.model.train(before)


def _install(modification: Modification, capture: ActivationCapture, tensors: Mapping[str, Tensor]) -> RemovableHandle:
    """The hook of a modification in one layer, of which `tensors` are, named as its form names them."""
    form, scale = modification.form, modification.scale
    site, point = capture.point(modification.site)
    reads = modification.reads
    beside = reads is not None and reads == FED_BY.get(modification.site)  # as a change of the matrix would
    if reads is not None and not beside:
        capture.need(reads)
    gated = form if isinstance(form, Gated) else None
    if gated is not None:
        capture.need("attention.query", "attention.key")

    def changed(h: Tensor, fed: Tensor | None = None) -> Tensor:
        reading = capture.reading(h, reads, fed)
        delta = form.change(tensors, reading)
        if gated is not None:
            return h + gated.gate(tensors, reading) * (delta - h)
        if modification.multiplies:
            delta = h * delta
        return h + (delta if scale == 1.0 else scale * delta)

    def entering(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (changed(inputs[0]), *inputs[1:])

    def leaving(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return replaced(output, point, changed(own(output, point), inputs[0] if beside else None))

    if point.enters:
        return site.register_forward_pre_hook(entering)
    return site.register_forward_hook(leaving)
