"""The forward pass of a backbone with a Delta: states, pooling and logits.

Each architecture has a file of its own (`bert`, `deberta_v2`, `modernbert`). It reads the weights from a mapping and
calls `change` at every site. The backbone itself does not change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.architecture import BERT_TYPES, Architecture
from learners.backbones.backbone import Backbone
from learners.delta.layout import PROMPT
from learners.forms import packed
from learners.forms.dropout import GLOBAL, Noise
from learners.forms.dropout import dropout as dropped
from learners.forward import bert, deberta_v2, modernbert
from learners.forward.change import Change, change_by
from learners.forward.frozen_layers import frozen_layers
from learners.forward.operations import Weights, linear
from learners.forward.peft_forward import peft_output
from learners.forward.prepared import Prepared, prepared
from learners.specification.learner import Learner

Batch = Mapping[str, Tensor]


class States(Protocol):
    """The functions of an architecture: yield the output of each layer (`learners.forward.bert.states`)."""

    def __call__(
        self,
        a: Architecture,
        w: Weights,
        batch: Batch,
        change: Change = ...,
        *,
        noise: Noise = ...,
        first: int = ...,
        entering: Tensor | None = ...,
        prompt: Tensor | None = ...,
    ) -> Iterator[Tensor]: ...


STATES: Mapping[str, States] = {  # by model type
    **dict.fromkeys(BERT_TYPES, bert.states),
    "deberta-v2": deberta_v2.states,
    "modernbert": modernbert.states,
}


def pooled(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor] | Prepared,
    batch: Batch,
    frozen_prefix: Tensor | None = None,
    *,
    dropout: bool = False,
    noise: Noise = GLOBAL,
) -> Tensor:
    """Pooled output of the modified backbone, in its dtype: [B, d], or [B, k d] if the head reads k layers.

    Args:
        tensors: Tensors of a Delta by name, or trainable tensors; or what `prepared` makes of them, which saves time
            if there are many batches.
        batch: `input_ids`, `attention_mask` and, if the backbone takes them, `token_type_ids`: [B, S].
        frozen_prefix: Output states [B, S, d] of the frozen prefix, whose layers then do not run. If the frozen prefix
            is the whole encoder, the pooled output, which is returned. Default: None, run all layers.
        dropout: Whether the backbone's dropout is applied. Default: no.
        noise: What draws dropout (`learners.forms.dropout`). Default: PyTorch's global generator.

    In a pack of K Deltas (`learners.forward.prepared.packed`), a batch holds B rows for each, the rows of the first one
    first; B above is then K B.
    """
    a = backbone.architecture
    first = 0 if frozen_prefix is None else frozen_layers(learner, a)
    if frozen_prefix is not None and first == a.layers:
        return frozen_prefix
    ready = tensors if isinstance(tensors, Prepared) else prepared(backbone, tensors)
    if learner.peft:
        hidden, vector = peft_output(backbone, learner, ready.added, batch, dropout)
        return vector if vector is not None and backbone.pooling == "cls" else pool(backbone, hidden, batch)
    w, rows = ready.weights, prompted(batch, learner.prompt)
    prompt = ready.added[PROMPT] if learner.prompt else None
    noise = noise if dropout else ()
    change = change_by(a, learner.modifications, ready.added, w, rows["attention_mask"], noise, ready.slots)
    states = STATES[a.model_type](a, w, rows, change, noise=noise, first=first, entering=frozen_prefix, prompt=prompt)
    read = deque(states, maxlen=learner.layers_read)  # the layers that the head reads
    if learner.layers_read > 1:
        return torch.cat([pool(backbone, hidden, batch) for hidden in read], dim=-1)
    hidden = read[0][:, learner.prompt :]  # [B, S, d], without the positions of the prompt
    if backbone.pooling == "cls" and a.pooler:
        return torch.tanh(linear(w, "pooler.dense", hidden[:, 0]))
    return pool(backbone, hidden, batch)


def prompted(batch: Batch, length: int) -> Batch:
    """The batch with `length` more positions before each row: of tokens that are no padding, of type 0."""
    if not length:
        return batch
    padded = {name: F.pad(batch[name], (length, 0)) for name in ("token_type_ids",) if name in batch}
    return {**batch, **padded, "attention_mask": F.pad(batch["attention_mask"], (length, 0), value=1)}


def pool(backbone: Backbone, hidden: Tensor, batch: Batch) -> Tensor:
    """Pool hidden states [B, S, d] to [B, d]: the first token, or the mean over tokens."""
    if backbone.pooling == "cls":
        return hidden[:, 0]
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)  # [B, S, 1]
    return (hidden * mask).sum(1) / mask.sum(1)


def logits(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor] | Prepared,
    batch: Batch,
    head_dropout: float = 0.0,
    frozen_prefix: Tensor | None = None,
    *,
    dropout: bool = False,
    noise: Noise = GLOBAL,
) -> Tensor:
    """Logits [B, C], float32. For a learner that does not train, each row of them is the bias of the head.

    Args:
        tensors: As in `pooled`, with `head.weight` [C, width] and `head.bias` [C].
        head_dropout: Probability of dropout on the input of the head. Default: 0, no dropout.
        frozen_prefix: As in `pooled`.
        dropout, noise: As in `pooled`; `noise` also draws the dropout before the head.
    """
    if learner.text_model is not None:
        raise ValueError(f"{learner.name} reads texts, not batches: learners.nobert.predict has its logits")
    ready = tensors if isinstance(tensors, Prepared) else prepared(backbone, tensors)
    if not learner.trains:
        return ready.head["head.bias"].expand(len(batch["input_ids"]), -1)
    features = pooled(backbone, learner, ready, batch, frozen_prefix, dropout=dropout, noise=noise).float()
    dropping = dropped(features, head_dropout, noise, tokens=())
    return packed.linear(dropping, ready.head["head.weight"], ready.head["head.bias"])
