"""ModernBERT: a pre-LN encoder with rotary positions, local attention and a gated FFN (Warner et al. 2024).

Shapes: B rows of S tokens, width d, N_h heads of width d_h, FFN width d_ff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.architectures.modernbert import frequencies
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

Rotations = tuple[Tensor, Tensor]  # cosine and sine of each position and dimension, float32 [S, 1, d_h]


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
    """Yields the output of each layer from `first` on, [B, S, d], that of the last layer normed.

    Arguments as in `learners.forward.bert.states`.
    """
    x = embeddings(a, w, batch, noise, prompt) if entering is None else entering
    length, mask = x.shape[1], padding_mask(a, batch["attention_mask"])  # [B N_h, 1, S]
    masks = {reach: mask + window(length, reach, mask.device) if reach else mask for reach in set(a.windows[first:])}
    for n in range(first, a.layers):
        x = layer(a, w, n, x, masks[a.windows[n]], rotations(a, length, a.thetas[n], x.device), change, noise)
        yield x if n < a.layers - 1 else norm(w, "final_norm", x, a.layer_norm_eps)


def embeddings(
    a: Architecture, w: Weights, batch: Mapping[str, Tensor], noise: Noise = (), prompt: Tensor | None = None
) -> Tensor:
    """Word vectors, normed, [B, S, d]."""
    x = word_vectors(a, w, batch["input_ids"], prompt)
    x = norm(w, "embeddings.norm", x, a.layer_norm_eps)
    return dropout(x, a.embedding_dropout, noise)


def layer(
    a: Architecture, w: Weights, n: int, x: Tensor, mask: Tensor, turn: Rotations, change: Change, noise: Noise
) -> Tensor:
    """Layer n: attention and FFN, each of a normed input, added to the residual x. x and the output are [B, S, d]."""
    at, reads = module_names(a, n), Reads()
    p = a.attention_dropout

    h = norm(w, at["attention.norm"], x, a.layer_norm_eps) if n else x  # the embeddings are normed already
    h = change("attention.norm", n, h, reads)
    h = change("attention.input", n, h, reads)
    q, k, v = linear(w, at["attention.query"], h).chunk(3, dim=-1)  # one module; each [B, S, d]
    q = change("attention.query", n, q, reads)
    k = change("attention.key", n, k, reads)
    v = change("attention.value", n, v, reads)
    h = attention(a, rotated(a, q, turn), rotated(a, k, turn), v, mask, p, noise)
    h = change("attention.heads", n, h, reads)
    h = change("attention.wo", n, linear(w, at["attention.wo"], h), reads)
    x = x + change("attention.output", n, dropout(h, p, noise), reads)  # the same p follows W_o, as in transformers

    h = change("ffn.norm", n, norm(w, at["ffn.norm"], x, a.layer_norm_eps), reads)
    h = change("ffn.input", n, h, reads)
    h = change("ffn.w1", n, linear(w, at["ffn.w1"], h), reads)  # [B, S, 2 d_ff]
    h, gate = h.chunk(2, dim=-1)
    h = dropout(ACTIVATIONS[a.activation](h) * gate, a.hidden_dropout, noise)
    h = change("ffn.intermediate", n, h, reads)  # [B, S, d_ff]
    h = change("ffn.w2", n, linear(w, at["ffn.w2"], h), reads)  # [B, S, d]
    return x + change("ffn.output", n, h, reads)


def rotated(a: Architecture, x: Tensor, turn: Rotations) -> Tensor:
    """Rotates pairs of dimensions of each head by the position of the token (Su et al. 2021), in float32. [B, S, d]."""
    by_head = x.view(*x.shape[:2], a.heads, -1).float()  # [B, S, N_h, d_h]
    cosine, sine = turn
    first, second = by_head.chunk(2, dim=-1)
    turned = by_head * cosine + torch.cat([-second, first], dim=-1) * sine
    return turned.to(x.dtype).reshape(x.shape)


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # the cache serves training too, which cannot use inference tensors
def rotations(a: Architecture, length: int, theta: float, device: torch.device) -> Rotations:
    """Cosine and sine of the rotations of each position, float32 [S, 1, d_h] each."""
    angle = torch.arange(length)[:, None].float() * frequencies(a, theta)
    angle = torch.cat([angle, angle], dim=-1)[:, None]
    return angle.cos().to(device), angle.sin().to(device)


def window(length: int, reach: int, device: torch.device) -> Tensor:
    """What is added to scores: 0 for keys at most `reach` tokens away, else the lowest number; float32 [S, S]."""
    token = torch.arange(length, device=device)
    far = (token[:, None] - token[None, :]).abs() > reach
    return far.float() * torch.finfo(torch.float32).min
