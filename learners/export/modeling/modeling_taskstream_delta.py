"""A text classifier that `taskstream export` wrote: an encoder with the modules that one task adds to it.

Load it with AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True). The modules change
activations inside the encoder, by hooks. This file needs torch and transformers only.
"""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .modeling_taskstream import TaskstreamForSequenceClassification

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "relu": F.relu,
    "tanh": torch.tanh,
    "silu": F.silu,
    "identity": lambda x: x,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}


class TaskstreamDeltaForSequenceClassification(TaskstreamForSequenceClassification):
    """As its base class, with these keys of the config.

    prompt: Number of learned vectors before the words of each row.
    layers_read: Number of layers, from the top, whose pooled states the head reads.
    heads, layers: Numbers of attention heads and of layers of the encoder.
    changes: One entry per kind of module in a layer; see `Change`.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        if config.prompt:
            self.prompt = nn.Parameter(torch.empty(config.prompt, self.backbone.get_input_embeddings().embedding_dim))
        self.seen = Seen()
        self.delta = nn.ModuleList()  # all changes of layer 0, then those of layer 1, and so on
        for layer in range(config.layers):
            changes = [Change(about, layer, config.heads, self.seen) for about in config.changes]
            for change in changes:
                change.attach(self.backbone)
            for module, enters in sorted({place for change in changes for place in change.places()}):
                self.seen.watch(self.backbone, module.format(layer), enters)  # after the changes of this module
            self.delta.extend(changes)

    def features(self, inputs: dict[str, Any]) -> tuple[Any, Tensor]:
        mask, prompt, read = inputs["attention_mask"], self.config.prompt, self.config.layers_read
        if prompt:
            inputs = self.prompted(inputs)
        if read > 1:
            inputs = {**inputs, "output_hidden_states": True}
        self.seen.mask = inputs["attention_mask"]
        try:
            output = self.backbone(**inputs)
        finally:
            self.seen.clear()
        if read > 1:
            states = [*output.hidden_states[-read:-1], output.last_hidden_state]
            return output, torch.cat([self.pool(hidden, mask) for hidden in states], dim=-1)
        return output, self.pool(output.last_hidden_state[:, prompt:], mask)

    def prompted(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Put the prompt before the words of each row, with token type 0."""
        inputs, length = dict(inputs), len(self.prompt)
        words = inputs.pop("inputs_embeds", None)
        if words is None:
            words = self.backbone.get_input_embeddings()(inputs.pop("input_ids"))
        inputs["inputs_embeds"] = torch.cat([self.prompt.expand(len(words), -1, -1), words], dim=1)
        inputs["attention_mask"] = F.pad(inputs["attention_mask"], (length, 0), value=1)
        if "token_type_ids" in inputs:
            inputs["token_type_ids"] = F.pad(inputs["token_type_ids"], (length, 0), value=0)
        return inputs


class Change(nn.Module):
    """One module in one layer: h ← h + Δh for the activation h at one place.

    A place in the config is a module (`{}` is the number of the layer), whether it is the module's input, and the
    columns (null: all). These are the keys of an entry of `changes`:

    site: The place of h.
    kind, activation: How Δh is computed from its input x, with activation function g. `bottleneck`:
        g(x W₁ + b₁) W₂ + b₂, with `depth` linear layers and a LayerNorm at `inner_norm`. `rescale`: x ⊙ (factor - 1).
        `attention`: g(x Kᵀ / √d_h) V in each head.
    fed, reads, norm: What x is. All unset: h. `fed`: the input of the module whose output is h. `reads`: the activation
        at this place. With `norm`, the name of a module, x is norm(h + the activation at `reads`).
    multiplies: The result is h ⊙ (1 + Δh).
    gated: The result is (1 - λ) h + λ Δh, as in an attention with more keys. `query` and `key` are then the places of
        the queries and keys of the attention.
    shapes: Name -> shape of each tensor.
    """

    down_weight: Tensor
    down_bias: Tensor
    up_weight: Tensor
    up_bias: Tensor
    norm_weight: Tensor
    norm_bias: Tensor
    factor: Tensor
    keys: Tensor
    values: Tensor

    def __init__(self, about: dict[str, Any], layer: int, heads: int, seen: Seen) -> None:
        super().__init__()
        self.about, self.layer, self.heads, self.seen = about, layer, heads, seen
        self.norm: list[Any] = []  # the module of `norm`; in a list, because it belongs to the encoder
        for name, shape in about["shapes"].items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    def attach(self, encoder: Any) -> None:
        """Let it change the activations of an encoder, from now on."""
        name, enters, _ = self.about["site"]
        module = encoder.get_submodule(name.format(self.layer))
        module.register_forward_pre_hook(self.entering) if enters else module.register_forward_hook(self.leaving)
        if self.about["norm"]:
            self.norm.append(encoder.get_submodule(self.about["norm"].format(self.layer)))

    def places(self) -> list[tuple[str, bool]]:
        """The modules whose input (True) or output (False) it reads."""
        return [tuple(self.about[name][:2]) for name in ("reads", "query", "key") if self.about[name]]

    def entering(self, module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self(inputs[0], None), *inputs[1:])

    def leaving(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Any:
        _, _, columns = self.about["site"]
        if columns is None:
            return self(output, inputs[0])
        first, last = columns
        return torch.cat([output[..., :first], self(output[..., first:last], inputs[0]), output[..., last:]], dim=-1)

    def forward(self, h: Tensor, fed: Tensor | None) -> Tensor:
        x = h
        if self.about["fed"]:
            assert fed is not None
            x = fed
        elif self.about["reads"]:
            x = self.seen.at(self.about["reads"], self.layer)
        for norm in self.norm:
            x = norm.forward(h + x)  # without its hooks: this call is not part of the layer
        change: Tensor = getattr(self, self.about["kind"])(x)
        if self.about["gated"]:
            return h + self.gate(x) * (change - h)
        return h + (h * change if self.about["multiplies"] else change)

    def bottleneck(self, x: Tensor) -> Tensor:
        g, norm = ACTIVATIONS[self.about["activation"]], self.about["inner_norm"]
        if norm == "input":
            x = F.layer_norm(x, x.shape[-1:], self.norm_weight, self.norm_bias)
        x = F.linear(x, self.down_weight, self.down_bias)
        if norm == "bottleneck":
            x = F.layer_norm(x, x.shape[-1:], self.norm_weight, self.norm_bias)
        x = g(x)
        for k in range(1, self.about["depth"] - 1):
            x = g(F.linear(x, getattr(self, f"middle{k}_weight"), getattr(self, f"middle{k}_bias")))
        return F.linear(x, self.up_weight, self.up_bias)

    def rescale(self, x: Tensor) -> Tensor:
        return x * (self.factor - 1)

    def attention(self, x: Tensor) -> Tensor:
        weights = ACTIVATIONS[self.about["activation"]](self.scores(x, self.keys))
        return (weights @ self.by_head(self.values)).transpose(-3, -2).flatten(-2)

    def gate(self, x: Tensor) -> Tensor:
        """The share λ of the attention that these keys get, [B, S, d]."""
        query, key = (self.seen.at(self.about[name], self.layer) for name in ("query", "key"))
        assert self.seen.mask is not None
        text = self.scores(query, key).masked_fill(self.seen.mask[:, None, None, :] == 0, -torch.inf)
        mass = torch.logsumexp(self.scores(x, self.keys), dim=-1) - torch.logsumexp(text, dim=-1)  # [B, heads, S]
        return torch.sigmoid(mass.transpose(1, 2)).repeat_interleave(self.values.shape[-1] // self.heads, dim=-1)

    def by_head(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        query = self.by_head(query)
        return query @ self.by_head(keys).transpose(-1, -2) / math.sqrt(query.shape[-1])


class Seen:
    """The activations of one forward pass, by module and side, and the attention mask [B, S]."""

    def __init__(self) -> None:
        self.mask: Tensor | None = None
        self.values: dict[tuple[str, bool], Tensor] = {}

    def clear(self) -> None:
        self.mask = None
        self.values.clear()

    def at(self, place: tuple[str, bool, Any], layer: int) -> Tensor:
        module, enters, columns = place
        value = self.values[module.format(layer), enters]
        return value if columns is None else value[..., slice(*columns)]

    def watch(self, encoder: Any, module: str, enters: bool) -> None:
        """Keep the input or output of a module, in each forward pass."""
        watcher, watched = Watcher(self.values, (module, enters)), encoder.get_submodule(module)
        watched.register_forward_pre_hook(watcher.entering) if enters else watched.register_forward_hook(
            watcher.leaving
        )


class Watcher:
    """The hooks of one module."""

    def __init__(self, values: dict[tuple[str, bool], Tensor], key: tuple[str, bool]) -> None:
        self.values, self.key = values, key

    def entering(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.values[self.key] = inputs[0]

    def leaving(self, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        self.values[self.key] = output
