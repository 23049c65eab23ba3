"""DeBERTa-v2 and -v3: post-LN encoders whose attention adds scores of relative positions (He et al. 2021a, 2021b).

Shapes: B rows of S tokens, width d, N_h heads of width d_h, P rows of the table of relative positions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.forms.dropout import Noise, dropout
from learners.forward.change import Change, Reads, unchanged
from learners.forward.operations import (
    ACTIVATIONS,
    Weights,
    linear,
    merge_heads,
    module_names,
    norm,
    padding_mask,
    split_heads,
    word_vectors,
)

Rows = tuple[Tensor, Tensor]  # rows of the table for i - j and for j - i, int64 [S, S] each


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
    """Yields the output of each layer from `first` on, [B, S, d]. Arguments as in `learners.forward.bert.states`."""
    x = embeddings(a, w, batch, noise, prompt) if entering is None else entering
    table = norm(w, "encoder.LayerNorm", w["encoder.rel_embeddings.weight"], a.layer_norm_eps)  # [P, d]
    rows = position_rows(a, x.shape[1], x.device)  # two of [S, S]
    mask = padding_mask(a, batch["attention_mask"])  # [B N_h, 1, S]
    for n in range(first, a.layers):
        x = layer(a, w, n, x, table, rows, mask, change, noise)
        yield x


def embeddings(
    a: Architecture, w: Weights, batch: Mapping[str, Tensor], noise: Noise = (), prompt: Tensor | None = None
) -> Tensor:
    """Word vectors, normed; 0 for padding. [B, S, d]."""
    x = word_vectors(a, w, batch["input_ids"], prompt)
    x = norm(w, "embeddings.LayerNorm", x, a.layer_norm_eps) * batch["attention_mask"][:, :, None].to(x.dtype)
    return dropout(x, a.hidden_dropout, noise)


def layer(
    a: Architecture,
    w: Weights,
    n: int,
    x: Tensor,
    table: Tensor,
    rows: Rows,
    mask: Tensor,
    change: Change,
    noise: Noise,
) -> Tensor:
    """Layer n: attention and FFN, each followed by the residual sum and its norm. x and the output are [B, S, d].

    Query and key projections run twice: on the tokens, and on the table of relative positions. A modification of their
    outputs changes both, as a change of their weights would.
    """
    at, reads = module_names(a, n), Reads()
    p = a.hidden_dropout

    h = change("attention.input", n, x, reads)
    q, k, v = linear(w, at["qkv"], h).chunk(3, dim=-1)  # each [B, S, d]
    q = change("attention.query", n, q, reads)
    k = change("attention.key", n, k, reads)
    v = change("attention.value", n, v, reads)
    positions = dropout(table, p, noise)[None]  # [1, P, d]
    of_positions = Reads({"attention.input": positions})  # forms must not read tokens here, nor positions later
    position_q = change("attention.query", n, linear(w, at["attention.query"], positions), of_positions)
    position_k = change("attention.key", n, linear(w, at["attention.key"], positions), of_positions)
    h = attention(a, q, k, v, position_q, position_k, rows, mask, a.attention_dropout, noise)
    h = change("attention.heads", n, h, reads)
    h = change("attention.wo", n, linear(w, at["attention.wo"], h), reads)
    h = change("attention.output", n, dropout(h, p, noise), reads)
    x = change("attention.norm", n, norm(w, at["attention.norm"], h + x, a.layer_norm_eps), reads)

    h = change("ffn.input", n, x, reads)
    h = change("ffn.w1", n, linear(w, at["ffn.w1"], h), reads)  # [B, S, d_ff]
    h = change("ffn.intermediate", n, ACTIVATIONS[a.activation](h), reads)
    h = change("ffn.w2", n, linear(w, at["ffn.w2"], h), reads)  # [B, S, d]
    h = change("ffn.output", n, dropout(h, p, noise), reads)
    return change("ffn.norm", n, norm(w, at["ffn.norm"], h + x, a.layer_norm_eps), reads)


def attention(
    a: Architecture,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    position_q: Tensor,
    position_k: Tensor,
    rows: Rows,
    mask: Tensor,
    p: float,
    noise: Noise,
) -> Tensor:
    """Attention with three scores: content to content, content to position, position to content; all over √(3 d_h).

    He et al. 2021a, equation 4. Scores and softmax are float32.

    Args:
        q, k, v: Projections of the tokens, [B, S, d].
        position_q, position_k: Projections of the relative positions, [1, P, d].
        rows: Rows of the table for each query and key, as `position_rows` returns them.
        mask: 0 for tokens, the lowest number for padding, float32 [B N_h, 1, S].
        p: Dropout probability of attention weights.
        noise: What draws dropout; nothing: no dropout.
    """
    q, k, v, position_q, position_k = (split_heads(x, a.heads) for x in (q, k, v, position_q, position_k))
    size = len(q) // a.heads
    scale = 1 / math.sqrt(3 * q.shape[-1])
    forth, back = (index.expand(len(q), -1, -1) for index in rows)  # [B N_h, S, S]
    content = torch.bmm(q, k.transpose(1, 2)).float()
    c2p = torch.bmm(q, position_k.repeat(size, 1, 1).transpose(1, 2)).gather(2, forth)
    p2c = torch.bmm(k, position_q.repeat(size, 1, 1).transpose(1, 2)).gather(2, back)
    scores = torch.add(mask, content + c2p.float() + p2c.transpose(1, 2).float(), alpha=scale)
    weights = dropout(torch.softmax(scores, dim=-1).to(v.dtype), p, noise)
    return merge_heads(torch.bmm(weights, v), a.heads)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # the cache serves training too, which cannot use inference tensors
def position_rows(a: Architecture, length: int, device: torch.device) -> Rows:
    """The rows of the table for query i and key j, int64 [S, S]: of i - j and of j - i, counted from the middle row.

    Each is cut to the table on its own. With buckets, far distances share a row; the wider the farther (He et al.
    2021b, code; as in T5).
    """
    token = torch.arange(length)
    apart = token[:, None] - token[None, :]
    span = a.relative // 2
    if a.buckets:
        half = a.buckets // 2
        near = (apart < half) & (apart > -half)
        distance = torch.where(near, half - 1, apart.abs())
        farthest = torch.log(torch.tensor((a.furthest - 1) / half))
        bucket = torch.ceil(torch.log(distance / half) / farthest * (half - 1)) + half
        apart = torch.where(distance <= half, apart, (bucket * apart.sign()).long())
    forth, back = (apart + span).clamp(0, 2 * span - 1), (span - apart).clamp(0, 2 * span - 1)
    return forth.to(device), back.to(device)
