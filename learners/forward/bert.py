"""BERT, RoBERTa, ELECTRA and DistilBERT: post-LN encoders with learned positions (Devlin et al. 2019).

Shapes: B rows of S tokens, width d, FFN width d_ff. With a prompt of l vectors, S counts its positions too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch.nn.functional as F
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.forms.dropout import Noise, dropout
from learners.forward.change import Change, Reads, unchanged
from learners.forward.operations import (
    ACTIVATIONS,
    Weights,
    attention,
    linear,
    module_names,
    norm,
    padding_mask,
    word_vectors,
)


def states(
    a: Architecture,
    w: Weights,
    batch: Mapping[str, Tensor],
    change: Change = unchanged,
    *,
    noise: Noise = (),
    first: int = 0,
    entering: Tensor | None = None,
    prompt: Tensor | None = None,
) -> Iterator[Tensor]:
    """Yields the output of each layer from `first` on, [B, S, d].

    Args:
        w: Name in the checkpoint -> weight, and `encoder.layer.N.qkv.weight`, `.bias` (`learners.backbones.fused`).
        batch: `input_ids` [B, S - l], `attention_mask` and perhaps `token_type_ids` [B, S]; int64.
        change: Returns what a learner makes of a representation (`learners.forward.change`).
        noise: What draws dropout (`learners.forms.dropout`). Default: nothing, no dropout.
        first: First layer to compute.
        entering: Input of this layer, [B, S, d]. Default: the embeddings.
        prompt: Vectors that come before the words of every row, [l, width of the tables]. Default: none.
    """
    mask = padding_mask(a, batch["attention_mask"])  # [B N_h, 1, S]
    x = embeddings(a, w, batch, noise, prompt) if entering is None else entering
    for n in range(first, a.layers):
        x = layer(a, w, n, x, mask, change, noise)
        yield x


def embeddings(
    a: Architecture, w: Weights, batch: Mapping[str, Tensor], noise: Noise = (), prompt: Tensor | None = None
) -> Tensor:
    """Sum of word, token-type and position vectors, normed, [B, S, d]. A prompt has the first positions."""
    ids, types = batch["input_ids"], batch.get("token_type_ids")
    x = word_vectors(a, w, ids, prompt)  # [B, S, e]
    if a.types:  # DistilBERT has none
        table = w["embeddings.token_type_embeddings.weight"]
        x = x + (table[0] if types is None else F.embedding(types, table))
    table = w["embeddings.position_embeddings.weight"]
    if not a.anatomy.pads_first:
        x = x + table[: x.shape[1]]
    elif prompt is not None:
        x = x + table[a.pad_id + 1 : a.pad_id + 1 + x.shape[1]]
    else:  # RoBERTa numbers the tokens of a row and gives padding the row `pad_id` of the table
        words = ids != a.pad_id
        x = x + F.embedding(words.cumsum(dim=1) * words + a.pad_id, table, a.pad_id)
    x = norm(w, "embeddings.LayerNorm", x, a.layer_norm_eps)
    x = dropout(x, a.hidden_dropout, noise)
    return linear(w, "embeddings_project", x) if a.embedding != a.hidden else x  # only ELECTRA


def layer(a: Architecture, w: Weights, n: int, x: Tensor, mask: Tensor, change: Change, noise: Noise) -> Tensor:
    """Layer n: attention and FFN, each followed by the residual sum and its norm. x and the output are [B, S, d]."""
    at, reads = module_names(a, n), Reads()
    p = a.hidden_dropout

    h = change("attention.input", n, x, reads)
    q, k, v = linear(w, at["qkv"], h).chunk(3, dim=-1)  # each [B, S, d]
    q = change("attention.query", n, q, reads)
    k = change("attention.key", n, k, reads)
    v = change("attention.value", n, v, reads)
    h = attention(a, q, k, v, mask, a.attention_dropout, noise)
    h = change("attention.heads", n, h, reads)
    h = change("attention.wo", n, linear(w, at["attention.wo"], h), reads)
    if a.model_type != "distilbert":  # which has no dropout here
        h = dropout(h, p, noise)
    h = change("attention.output", n, h, reads)
    x = change("attention.norm", n, norm(w, at["attention.norm"], h + x, a.layer_norm_eps), reads)

    h = change("ffn.input", n, x, reads)
    h = change("ffn.w1", n, linear(w, at["ffn.w1"], h), reads)  # [B, S, d_ff]
    h = change("ffn.intermediate", n, ACTIVATIONS[a.activation](h), reads)
    h = change("ffn.w2", n, linear(w, at["ffn.w2"], h), reads)  # [B, S, d]
    h = change("ffn.output", n, dropout(h, p, noise), reads)
    return change("ffn.norm", n, norm(w, at["ffn.norm"], h + x, a.layer_norm_eps), reads)
