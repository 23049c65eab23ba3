"""Attention that is fast on a CPU for small encoders (about 100 dimensions, some tens of tokens per row).

Both implementations in transformers are slow there. The backward pass of `sdpa` in bfloat16 takes ten times as long.
The softmax of `eager` in bfloat16 takes several nanoseconds per element if the row length is not a multiple of 32. Here
the matrix products run in the backbone's dtype, and scores and softmax in float32: this is faster and more accurate.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

NAME = "taskstream"


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Computes softmax(q kᵀ / √d_h + M) v (Vaswani et al. 2017, equation 1). Models of transformers call it.

    Args:
        module: The attention module; dropout applies only if it is in training mode.
        query, key, value: [B, N_h, S, d_h].
        attention_mask: M [B, 1, S, S], with 0 or the lowest number of its dtype. None: no mask.
        scaling: Factor of q kᵀ. Default: 1 / √d_h.
        dropout: Dropout probability of attention weights.

    Returns:
        Output [B, S, N_h, d_h] and attention weights [B, N_h, S, S].
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = torch.matmul(query, key.transpose(2, 3))
    scores = (
        scores.float() * scale if attention_mask is None else torch.add(attention_mask.float(), scores, alpha=scale)
    )
    weights = torch.softmax(scores, dim=-1).to(query.dtype)
    if dropout:
        weights = nn.functional.dropout(weights, dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


def attention_of(model: Any) -> str:
    """Returns the attention implementation for a model class: `NAME` if the class supports it, else "eager"."""
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.modeling_utils import AttentionInterface

    if not model._supports_attention_backend:
        return "eager"
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, eager_mask)
    return NAME
