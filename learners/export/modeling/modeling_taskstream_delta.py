"""A text classifier that `taskstream export` wrote: a frozen encoder with the modules that one task adds to it.

Load it with AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True). The modules change
activations inside the encoder, by hooks. This file needs torch and transformers only.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .modeling_taskstream import TaskstreamForSequenceClassification

ACTIVATIONS = {
    "gelu": F.gelu,
    "relu": F.relu,
    "tanh": torch.tanh,
    "silu": F.silu,
    "identity": lambda x: x,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}


class TaskstreamDeltaForSequenceClassification(TaskstreamForSequenceClassification):
    """As its base class. More keys of the config, all with defaults:

    prompt: Number of learned vectors before the words of each row.
    layers_read: Number of layers, from the top, whose pooled states the head reads.
    heads: Number of attention heads.
    layers: Number of layers of the encoder.
    changes: One entry per kind of module; see `Change`.
    """

    def __init__(self, config):
        self.prompt_length = getattr(config, "prompt", 0)
        self.layers_read = getattr(config, "layers_read", 1)
        super().__init__(config)
        if self.prompt_length:
            self.prompt = nn.Parameter(torch.empty(self.prompt_length, self.backbone.get_input_embeddings().embedding_dim))
        self.seen = Seen()
        self.delta = nn.ModuleList()  # all changes of layer 0, then those of layer 1, and so on
        for layer in range(config.layers if config.changes else 0):
            changes = [Change(about, layer, config.heads, self.seen) for about in config.changes]
            for change in changes:
                change.attach(self.backbone)
            for module, enters in {place for change in changes for place in change.places()}:
                self.seen.watch(self.backbone, module.format(layer), enters)
            self.delta.extend(changes)

    def head_width(self, encoder):
        return encoder.hidden_size * self.layers_read

    def features(self, inputs):
        mask = inputs["attention_mask"]
        if self.prompt_length:
            inputs = self.prompted(inputs)
        if self.layers_read > 1:
            inputs = {**inputs, "output_hidden_states": True}
        self.seen.mask = inputs["attention_mask"]
        try:
            output = self.backbone(**inputs)
        finally:
            self.seen.clear()
        if self.layers_read > 1:
            states = [*output.hidden_states[-self.layers_read : -1], output.last_hidden_state]
            return output, torch.cat([self.pool(hidden, mask) for hidden in states], dim=-1)
        return output, self.pool(output.last_hidden_state[:, self.prompt_length :], mask)

    def prompted(self, inputs):
        """Put the prompt before the words of each row, with token type 0."""
        inputs = dict(inputs)
        words = inputs.pop("inputs_embeds", None)
        if words is None:
            words = self.backbone.get_input_embeddings()(inputs.pop("input_ids"))
        inputs["inputs_embeds"] = torch.cat([self.prompt.expand(len(words), -1, -1), words], dim=1)
        inputs["attention_mask"] = F.pad(inputs["attention_mask"], (self.prompt_length, 0), value=1)
        if "token_type_ids" in inputs:
            inputs["token_type_ids"] = F.pad(inputs["token_type_ids"], (self.prompt_length, 0), value=0)
        return inputs


class Change(nn.Module):
    """One module in one layer: h ← h + Δh for the activation h at one place.

    Args:
        about: Its entry in the config. `kind` and `activation` say how Δh is computed from an input x:
            `bottleneck`: g(x W₁ + b₁) W₂ + b₂, perhaps with more layers and a LayerNorm; `rescale`: x ⊙ (factor − 1);
            `attention`: g(x Kᵀ / √d_h) V in each head. A place is a module (`{}` is the layer), whether it is the
            module's input, and the columns (null: all). `site` is the place of h. x is h itself; or the activation at
            `reads`; or, if `fed`, the input of the module whose output is h. With `norm`, x is norm(h + reads). With
            `multiplies` the result is h ⊙ (1 + Δh); with `gated` it is (1 − λ) h + λ Δh, as in attention with more
            keys; `query` and `key` are then the places of the attention's queries and keys.
        layer: The layer, from 0.
        heads: Number of attention heads.
        seen: The activations of this forward pass.
    """

    def __init__(self, about, layer, heads, seen):
        super().__init__()
        self.about, self.layer, self.heads, self.seen = about, layer, heads, seen
        self.norm = None
        for name, shape in about["shapes"].items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    def attach(self, encoder):
        """Let it change the activations of an encoder, from now on."""
        module, enters, _ = self.about["site"]
        module = encoder.get_submodule(module.format(self.layer))
        module.register_forward_pre_hook(self.entering) if enters else module.register_forward_hook(self.leaving)
        if self.about["norm"]:
            self.norm = [encoder.get_submodule(self.about["norm"].format(self.layer))]  # in a list: not its own module

    def places(self):
        """The modules whose input (True) or output (False) it reads."""
        return [tuple(self.about[name][:2]) for name in ("reads", "query", "key") if self.about[name]]

    def entering(self, module, inputs):
        return (self(inputs[0], None), *inputs[1:])

    def leaving(self, module, inputs, output):
        _, _, columns = self.about["site"]
        if columns is None:
            return self(output, inputs[0])
        first, last = columns
        return torch.cat([output[..., :first], self(output[..., first:last], inputs[0]), output[..., last:]], dim=-1)

    def forward(self, h, fed):
        x = h
        if self.about["fed"]:
            x = fed
        elif self.about["reads"]:
            x = self.seen.at(self.about["reads"], self.layer)
        if self.norm is not None:
            x = self.norm[0].forward(h + x)
        change = getattr(self, self.about["kind"])(x)
        if self.about["gated"]:
            return h + self.gate(x) * (change - h)
        return h + (h * change if self.about["multiplies"] else change)

    def bottleneck(self, x):
        g, norm = ACTIVATIONS[self.about["activation"]], self.about["inner_norm"]
        if norm == "input":
            x = F.layer_norm(x, x.shape[-1:], self.norm_weight, self.norm_bias)
        x = F.linear(x, self.down_weight, self.down_bias)
        if norm == "bottleneck":
            x = F.layer_norm(x, x.shape[-1:], self.norm_weight, self.norm_bias)
        x = g(x)
        k = 1
        while hasattr(self, f"middle{k}_weight"):
            x = g(F.linear(x, getattr(self, f"middle{k}_weight"), getattr(self, f"middle{k}_bias")))
            k += 1
        return F.linear(x, self.up_weight, self.up_bias)

    def rescale(self, x):
        return x * (self.factor - 1)

    def attention(self, x):
        weights = ACTIVATIONS[self.about["activation"]](self.scores(x, self.keys))
        return (weights @ self.by_head(self.values)).transpose(-3, -2).flatten(-2)

    def gate(self, x):
        """The share λ of the attention that these keys get, [B, S, d]."""
        query, key = (self.seen.at(self.about[name], self.layer) for name in ("query", "key"))
        text = self.scores(query, key).masked_fill(self.seen.mask[:, None, None, :] == 0, -torch.inf)
        mass = torch.logsumexp(self.scores(x, self.keys), dim=-1) - torch.logsumexp(text, dim=-1)  # [B, heads, S]
        return torch.sigmoid(mass.transpose(1, 2)).repeat_interleave(self.values.shape[-1] // self.heads, dim=-1)

    def by_head(self, x):
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def scores(self, query, keys):
        query = self.by_head(query)
        return query @ self.by_head(keys).transpose(-1, -2) / math.sqrt(query.shape[-1])


class Seen:
    """The activations of one forward pass, by module and side, and the attention mask [B, S]."""

    def __init__(self):
        self.mask, self.values = None, {}

    def clear(self):
        self.mask = None
        self.values.clear()

    def at(self, place, layer):
        module, enters, columns = place
        value = self.values[module.format(layer), enters]
        return value if columns is None else value[..., slice(*columns)]

    def watch(self, encoder, module, enters):
        """Keep the input or output of a module, in each forward pass."""
        watcher, watched = Watcher(self.values, (module, enters)), encoder.get_submodule(module)
        watched.register_forward_pre_hook(watcher.entering) if enters else watched.register_forward_hook(watcher.leaving)


class Watcher:
    """The hooks of one module."""

    def __init__(self, values, key):
        self.values, self.key = values, key

    def entering(self, module, inputs):
        self.values[self.key] = inputs[0]

    def leaving(self, module, inputs, output):
        self.values[self.key] = output
