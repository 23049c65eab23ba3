"""The forward pass of a backbone with a Delta. A functional call replaces weights, hooks change activations.

The backbone itself does not change: no module is wrapped or replaced, no weight is merged. Hooks exist for one call.
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
PROMPT = "added.prompt.embeddings"  # [l, e]; e is the width of the embedding tables


def pooled(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor],
    batch: Batch,
    frozen_prefix: Tensor | None = None,
) -> Tensor:
    """Pooled output of the modified backbone, in its dtype: [B, d], or [B, k d] if the head reads k layers.

    Args:
        tensors: Tensors of a Delta by name, or trainable tensors. They are cast to the backbone's dtype here, so that a
            bfloat16 forward pass trains float32 weights.
        batch: `input_ids`, `attention_mask` and, if the backbone takes them, `token_type_ids`: [B, S].
        frozen_prefix: Output states [B, S, d] of the frozen prefix, whose layers then do not run. If the frozen prefix
            is the whole encoder, the pooled output, which is returned. Default: None, run all layers.
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
    read_too = range(layers - learner.layers_read, layers - 1)  # the layers that the head reads, without the last
    with (
        modified(backbone, learner.modifications, added, inputs["attention_mask"]),
        nullcontext() if frozen_prefix is None else entered(backbone, first, frozen_prefix),
        watched(backbone, read_too) as states,
    ):
        # No encoder ties weights, and a search for ties takes a millisecond.
        output = torch.func.functional_call(model, weights, args=(), kwargs=inputs, tie_weights=False)
        if learner.layers_read > 1:
            read = [*states, output.last_hidden_state]
            return torch.cat([_pool(backbone, hidden, batch) for hidden in read], dim=-1)
        hidden: Tensor = output.last_hidden_state[:, learner.prompt :]  # [B, S, d], without the positions of the prompt
        pooler: Tensor | None = getattr(output, "pooler_output", None)
        if backbone.pooling == "mean" or pooler is None:
            return _pool(backbone, hidden, batch)
        if not learner.prompt:
            return pooler
        head: Any = backbone.model.pooler  # `pooler_output` is of the first position of the prompt
        return cast(Tensor, head(hidden))


def encoder_of(backbone: Backbone, learner: Learner) -> nn.Module:
    """The encoder of a backbone, or a copy with a method of peft.

    Raises:
        InputError: As `learners.delta.peft_modules.injected_model`.
    """
    return injected_model(backbone, learner.peft) if learner.peft else backbone.model


def in_dtype(backbone: Backbone, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the tensors of a Delta to the form that the forward pass uses.

    The body is cast to the backbone's dtype, the head stays float32. A tensor `difference.x` becomes `backbone.x`, the
    sum of the pretrained weight and the difference. Converted tensors pass unchanged, so a second call is cheap.
    """
    dtype, found = backbone.dtype, dict[str, Tensor]()
    for name, tensor in tensors.items():
        if name.startswith("difference."):
            key = name[len("difference.") :]
            found[f"backbone.{key}"] = (backbone.weights[key] + tensor).to(dtype)
        else:
            found[name] = tensor if is_head(name) else tensor.to(dtype)
    return found


def _pool(backbone: Backbone, hidden: Tensor, batch: Batch) -> Tensor:
    """Pool hidden states [B, S, d] to [B, d]: the first token, or the mean over tokens."""
    if backbone.pooling == "cls":
        return hidden[:, 0]
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)  # [B, S, 1]
    return (hidden * mask).sum(1) / mask.sum(1)


def prompted(inputs: dict[str, Tensor], prompt: Tensor, table: Tensor) -> dict[str, Tensor]:
    """Put a prompt before the word vectors of each row. Tokens attend to it as to other tokens.

    The prompt has the first l positions and token type 0. The tokens of the text follow from position l.

    Args:
        inputs: Inputs of the encoder. Changed in place and returned: `inputs_embeds` replaces `input_ids`.
        prompt: l learned vectors, [l, e].
        table: Word vectors, [vocabulary, e].
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
    """Logits [B, C], float32. For a learner that does not train, each row of them is the bias of the head.

    Args:
        tensors: As in `pooled`, with `head.weight` [C, width] and `head.bias` [C].
        head_dropout: Probability of dropout on the input of the head. Default: 0, no dropout.
        frozen_prefix: As in `pooled`.
    """
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
    """Apply modifications to the backbone within a `with` block, by hooks.

    A form may read other representations than the one it modifies. These are captured during the forward pass, after
    the changes of other modifications.

    Args:
        tensors: Tensors of the modifications, by their names in a Delta.
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
            handles += capture.watch()  # after the hooks that change representations
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def watched(backbone: Backbone, layers: Iterable[int]) -> Iterator[list[Tensor]]:
    """Collect the outputs of these layers within a `with` block: tensors [B, S, d], in the order of execution.

    The option `output_hidden_states` of transformers is no alternative: it leaves hooks on the modules forever.
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
    """Switch the backbone's dropout on or off within a `with` block. Changes the mode of modules, no tensor."""
    before, architecture = backbone.model.training, backbone.architecture
    draws = active and (architecture.hidden_dropout > 0 or architecture.attention_dropout > 0)
    if before != active:  # all modules have the same mode
        backbone.model.train(active)
    try:
        with FastDropout() if draws else nullcontext():
            yield
    finally:
        if before != active:
            backbone.model.train(before)


def _install(modification: Modification, capture: ActivationCapture, tensors: Mapping[str, Tensor]) -> RemovableHandle:
    """Register the hook of a modification in one layer.

    Args:
        tensors: Tensors of the modification in this layer, by the names in its form.
    """
    form, scale = modification.form, modification.scale
    site, point = capture.point(modification.site)
    reads = modification.reads
    parallel = reads is not None and reads == FED_BY.get(modification.site)  # reads the input of the site's matrix
    if reads is not None and not parallel:
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
        return replaced(output, point, changed(own(output, point), inputs[0] if parallel else None))

    if point.enters:
        return site.register_forward_pre_hook(entering)
    return site.register_forward_hook(leaving)
