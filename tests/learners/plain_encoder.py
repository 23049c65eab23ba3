"""BERT (Devlin et al. 2019) and its kin written out line by line: the reference that `plain_methods` changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from learners.backbones.backbone import Backbone

WRITTEN_OUT = ("bert", "roberta", "distilbert", "electra")
NAMES = {
    "layer": "encoder.layer",
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "wo": "attention.output.dense",
    "attention.norm": "attention.output.LayerNorm",
    "w1": "intermediate.dense",
    "w2": "output.dense",
    "ffn.norm": "output.LayerNorm",
}
DISTILBERT = {
    "layer": "transformer.layer",
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "wo": "attention.out_lin",
    "attention.norm": "sa_layer_norm",
    "w1": "ffn.lin1",
    "w2": "ffn.lin2",
    "ffn.norm": "output_layer_norm",
}


def gelu(x: Tensor) -> Tensor:
    return x / 2 * (1 + torch.erf(x / math.sqrt(2)))


FUNCTIONS = {
    "gelu": gelu,
    "relu": lambda x: x * (x > 0),
    "tanh": lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
    "silu": lambda x: x / (1 + (-x).exp()),
    "identity": lambda x: x,
}


def standardised(x: Tensor, eps: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()


class Encoder:
    """A post-LN encoder under tuned weights. x [B, S, d] is what enters a layer, y [B, S, d] its attention norm.

    Args:
        tensors: Of a Delta, by name.
        options: Of a specification, by name, for each family that it joins.
    """

    def __init__(self, base: Backbone, tensors: Mapping[str, Tensor], options: Mapping[str, Mapping[str, str]]) -> None:
        self.base, self.a, self.tensors, self.options = base, base.architecture, tensors, options
        self.names = DISTILBERT if self.a.model_type == "distilbert" else NAMES
        self.w = dict(base.weights)
        for name, tensor in tensors.items():
            if name.startswith("backbone."):
                self.w[name.removeprefix("backbone.")] = tensor

    def own(self, place: str) -> dict[str, Tensor]:
        """Tensors of a modification in a layer: `adapter.ffn.0` -> name within -> tensor."""
        start = f"added.{place}."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}

    def name(self, role: str, layer: int) -> str:
        return f"{self.names['layer']}.{layer}.{self.names[role]}"

    def linear(self, x: Tensor, name: str) -> Tensor:
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x: Tensor, name: str) -> Tensor:
        return standardised(x, self.a.layer_norm_eps) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def words(self, ids: Tensor) -> Tensor:
        return self.w["embeddings.word_embeddings.weight"][ids]

    def embedded(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What enters the first layer, and the mask [B, S]."""
        x, mask, types = self.words(batch["input_ids"]), batch["attention_mask"], batch.get("token_type_ids")
        before = x.shape[1] - mask.shape[1]  # of a prompt: attended to, its token type 0
        mask = torch.cat([mask.new_ones(len(x), before), mask], dim=1)
        first = self.a.pad_id + 1 if self.a.model_type == "roberta" else 0
        x = x + self.w["embeddings.position_embeddings.weight"][first : first + x.shape[1]]
        if self.a.types:
            types = torch.zeros_like(mask) if types is None else torch.cat([types[:, :1] * 0] * before + [types], dim=1)
            x = x + self.w["embeddings.token_type_embeddings.weight"][types]
        x = self.norm(x, "embeddings.LayerNorm")
        return (self.linear(x, "embeddings_project") if self.a.model_type == "electra" else x), mask

    def projected(self, x: Tensor, part: str, layer: int) -> Tensor:
        """Query, key or value, [B, S, d]."""
        return self.linear(x, self.name(part, layer))

    def split(self, x: Tensor) -> Tensor:
        """[..., S, d] as [..., N_h, S, d_h]."""
        return torch.stack(x.chunk(self.a.heads, dim=-1), dim=-3)

    def attended(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Attention of q [B, N_h, S, d_h] over k, v [B, N_h, T, d_h], of which mask [B, T] leaves out the padding."""
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        return scores.masked_fill(mask[:, None, None] == 0, -math.inf).softmax(-1) @ v

    def heads(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        """Head outputs side by side, [B, S, d]."""
        q, k, v = (self.split(self.projected(x, part, layer)) for part in ("query", "key", "value"))
        return torch.cat(self.attended(q, k, v, mask, layer).unbind(1), dim=-1)

    def attention(self, x: Tensor, mask: Tensor, layer: int) -> Tensor:
        return self.linear(self.heads(x, mask, layer), self.name("wo", layer))

    def inner(self, y: Tensor, layer: int) -> Tensor:
        """Activation between the FFN matrices, [B, S, d_ff]."""
        return gelu(self.linear(y, self.name("w1", layer)))

    def ffn(self, y: Tensor, layer: int) -> Tensor:
        return self.linear(self.inner(y, layer), self.name("w2", layer))

    def closed(self, y: Tensor, h: Tensor, layer: int) -> Tensor:
        """What leaves a layer whose FFN gave h."""
        return self.norm(y + h, self.name("ffn.norm", layer))

    def pool(self, x: Tensor, mask: Tensor) -> Tensor:
        return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True) if self.base.pooling == "mean" else x[:, 0]

    def read(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """What the head reads of the states of all layers, embeddings first."""
        found = self.pool(states[-1], mask)
        return found if self.base.pooling == "mean" or not self.a.pooler else self.linear(found, "pooler.dense").tanh()

    def __call__(self, batch: Mapping[str, Tensor]) -> Tensor:
        x, mask = self.embedded(batch)
        states = [x]
        for layer in range(self.a.layers):
            x = states[-1]
            y = self.norm(x + self.attention(x, mask, layer), self.name("attention.norm", layer))
            states.append(self.closed(y, self.ffn(y, layer), layer))
        return self.read(states, mask)
