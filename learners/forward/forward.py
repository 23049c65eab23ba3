"""The forward pass of a backbone with a Delta: states, pooling and logits.

The text of each architecture is in a file of its own (`bert`, `deberta_v2`, `modernbert`). It reads the weights from a
mapping and calls one hook, `change`, at every site. The backbone itself does not change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone
from learners.forms.dropout import dropout as dropped
from learners.forward import bert, deberta_v2, modernbert
from learners.forward.change import Change, change_by
from learners.forward.frozen_layers import frozen_layers
from learners.forward.operations import Weights, linear
from learners.forward.peft_forward import peft_output
from learners.forward.weights import Prepared, prepared
from learners.specification.learner import Learner

Batch = Mapping[str, Tensor]
PROMPT = "added.prompt.embeddings"  # [l, e]; e is the width of the embedding tables


class States(Protocol):
    """The text of an architecture: yields the output of each layer (`learners.forward.bert.states`)."""

    def __call__(
        self,
        a: Architecture,
        w: Weights,
        batch: Batch,
        change: Change = ...,
        *,
        training: bool = ...,
        first: int = ...,
        entering: Tensor | None = ...,
        prompt: Tensor | None = ...,
    ) -> Iterator[Tensor]: ...


OTHERS: Mapping[str, States] = {"deberta-v2": deberta_v2.states, "modernbert": modernbert.states}


def states_of(a: Architecture) -> States:
    """The text of an architecture."""
    return OTHERS.get(a.model_type, bert.states)


def pooled(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor],
    batch: Batch,
    frozen_prefix: Tensor | None = None,
    *,
    dropout: bool = False,
) -> Tensor:
    """Pooled output of the modified backbone, in its dtype: [B, d], or [B, k d] if the head reads k layers.

    Args:
        tensors: Tensors of a Delta by name, or trainable tensors.
        batch: `input_ids`, `attention_mask` and, if the backbone takes them, `token_type_ids`: [B, S].
        frozen_prefix: Output states [B, S, d] of the frozen prefix, whose layers then do not run. If the frozen prefix
            is the whole encoder, the pooled output, which is returned. Default: None, run all layers.
        dropout: Whether the backbone's dropout is applied. Default: no.
    """
    return pooled_with(backbone, learner, prepared(backbone, tensors), batch, frozen_prefix, dropout)


def pooled_with(
    backbone: Backbone,
    learner: Learner,
    ready: Prepared,
    batch: Batch,
    frozen_prefix: Tensor | None = None,
    dropout: bool = False,
) -> Tensor:
    """As `pooled`, with tensors that are prepared already."""
    a, w = backbone.architecture, ready.weights
    first = 0 if frozen_prefix is None else frozen_layers(learner, a)
    if frozen_prefix is not None and first == a.layers:
        return frozen_prefix
    if learner.peft:
        hidden, vector = peft_output(backbone, learner, ready.added, batch, dropout)
        return vector if vector is not None and backbone.pooling == "cls" else pool(backbone, hidden, batch)
    prompt, mask = ready.added.get(PROMPT), batch["attention_mask"]
    whole = mask if prompt is None else F.pad(mask, (len(prompt), 0), value=1)
    change = change_by(a, learner.modifications, ready.added, w, whole, dropout)
    outputs = states_of(a)(a, w, batch, change, training=dropout, first=first, entering=frozen_prefix, prompt=prompt)
    read = deque(outputs, maxlen=learner.layers_read)  # the layers that the head reads
    if learner.layers_read > 1:
        return torch.cat([pool(backbone, hidden, batch) for hidden in read], dim=-1)
    hidden = read[0][:, learner.prompt :]  # [B, S, d], without the positions of the prompt
    if backbone.pooling == "cls" and a.pooler:
        return torch.tanh(linear(w, "pooler.dense", hidden[:, 0]))
    return pool(backbone, hidden, batch)


def pool(backbone: Backbone, hidden: Tensor, batch: Batch) -> Tensor:
    """Pool hidden states [B, S, d] to [B, d]: the first token, or the mean over tokens."""
    if backbone.pooling == "cls":
        return hidden[:, 0]
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)  # [B, S, 1]
    return (hidden * mask).sum(1) / mask.sum(1)


def logits(
    backbone: Backbone,
    learner: Learner,
    tensors: Mapping[str, Tensor],
    batch: Batch,
    head_dropout: float = 0.0,
    frozen_prefix: Tensor | None = None,
    *,
    dropout: bool = False,
) -> Tensor:
    """Logits [B, C], float32. For a learner that does not train, each row of them is the bias of the head.

    Args:
        tensors: As in `pooled`, with `head.weight` [C, width] and `head.bias` [C].
        head_dropout: Probability of dropout on the input of the head. Default: 0, no dropout.
        frozen_prefix: As in `pooled`.
        dropout: As in `pooled`.
    """
    return logits_with(backbone, learner, prepared(backbone, tensors), batch, head_dropout, frozen_prefix, dropout)


def logits_with(
    backbone: Backbone,
    learner: Learner,
    ready: Prepared,
    batch: Batch,
    head_dropout: float = 0.0,
    frozen_prefix: Tensor | None = None,
    dropout: bool = False,
) -> Tensor:
    """As `logits`, with tensors that are prepared already."""
    if not learner.trains:
        return ready.head["head.bias"].expand(len(batch["input_ids"]), -1)
    features = pooled_with(backbone, learner, ready, batch, frozen_prefix, dropout).float()
    return F.linear(dropped(features, head_dropout), ready.head["head.weight"], ready.head["head.bias"])
