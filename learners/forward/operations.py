"""The operations that encoders are made of. Shapes: B rows of S tokens, width d, N_h heads of width d_h = d / N_h."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.sites import FED_BY, Role
from learners.forms import packed
from learners.forms.dropout import Noise, dropout

Weights = Mapping[str, Tensor]  # name of a parameter in the checkpoint -> tensor

NORMS: tuple[Role, ...] = ("attention.norm", "ffn.norm")
# Names of activation functions in configs -> functions. `gelu_new` and others are the same approximation by tanh.
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_python": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_fast": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}


@lru_cache(maxsize=256)
def module_names(a: Architecture, n: int) -> Mapping[str, str]:
    """Returns site -> full name of the module in the checkpoint whose weights compute it, in layer n; and `qkv`."""
    at, places = a.anatomy.layer.format(n), a.anatomy.places
    return {"qkv": f"{at}.qkv", **{site: f"{at}.{places[site].module}" for site in (*FED_BY, *NORMS)}}


def word_vectors(a: Architecture, w: Weights, ids: Tensor, prompt: Tensor | None) -> Tensor:
    """Vectors of the words of each row, after those of a prompt, [B, S, width of the tables].

    The row of padding gets no gradient, as in transformers.

    Args:
        ids: Token ids, [B, S - l].
        prompt: Vectors that come before each row, [l, width], or [K, l, width] in a pack. None: none.
    """
    x = F.embedding(ids, w[a.anatomy.words], a.pad_id)
    if prompt is None:
        return x
    slots = prompt if prompt.dim() == 3 else prompt[None]
    return torch.cat([slots.repeat_interleave(len(ids) // len(slots), dim=0), x], dim=1)


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    """x W^T + b, [B, S, in] -> [B, S, out]; without b if the checkpoint has none."""
    return packed.linear(x, w[f"{name}.weight"], w.get(f"{name}.bias"))


def norm(w: Weights, name: str, x: Tensor, epsilon: float) -> Tensor:
    """LayerNorm over the last dimension (Ba et al. 2016), with gain and, if the checkpoint has one, bias."""
    return packed.layer_norm(x, w[f"{name}.weight"], w.get(f"{name}.bias"), epsilon)


def split_heads(x: Tensor, count: int) -> Tensor:
    """Splits the last dimension into heads, [B, S, d] -> [B N_h, S, d_h]."""
    rows, length, width = x.shape
    return x.view(rows, length, count, -1).transpose(1, 2).reshape(rows * count, length, width // count)


def merge_heads(x: Tensor, count: int) -> Tensor:
    """Joins the heads, [B N_h, S, d_h] -> [B, S, d]."""
    length, width = x.shape[1:]
    return x.view(-1, count, length, width).transpose(1, 2).reshape(-1, length, count * width)


def padding_mask(a: Architecture, mask: Tensor) -> Tensor:
    """What is added to attention scores: 0 for tokens, the lowest number for padding; float32 [B N_h, 1, S].

    Args:
        mask: 1 for tokens, 0 for padding, [B, S].
    """
    masked = (mask == 0).float() * torch.finfo(torch.float32).min
    return masked.repeat_interleave(a.heads, dim=0)[:, None]


def attention(a: Architecture, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, p: float, noise: Noise) -> Tensor:
    """softmax(q k^T / √d_h + M) v in each head (Vaswani et al. 2017, equation 1).

    The products run in the dtype of q, scores and softmax in float32: with bfloat16 this is faster, and more accurate.

    Args:
        q, k, v: [B, S, d].
        mask: M, float32 [B N_h, 1 or S, S].
        p: Dropout probability of attention weights.
        noise: What draws dropout; none: no dropout.

    Returns:
        The joined outputs of the heads, [B, S, d].
    """
    q, k, v = (split_heads(x, a.heads) for x in (q, k, v))  # [B N_h, S, d_h]
    scale = q.shape[-1] ** -0.5
    if q.dtype == torch.float32:
        scores = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=scale)  # [B N_h, S, S]
    else:
        scores = torch.add(mask, torch.bmm(q, k.transpose(1, 2)), alpha=scale)
    weights = dropout(torch.softmax(scores, dim=-1).to(v.dtype), p, noise, tokens=(1, 2))
    return merge_heads(torch.bmm(weights, v), a.heads)
