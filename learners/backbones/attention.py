"""Attention of encoders of a hundred dimensions on rows of some tens of tokens, as fast as a CPU does it.

transformers' own two are slow there: `sdpa` backwards in bfloat16 by ten times, and `eager` by its softmax in bfloat16,
which takes several nanoseconds an element where rows are no multiple of 32. Here the products run in the backbone's
dtype, and scores and softmax in float32, which is faster and more accurate.
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
    """softmax(q kᵀ / √d_h + M) v (Vaswani et al. 2017, equation 1), called by transformers' models.

    Args:
        query, key, value: [B, N_h, S, d_h].
        attention_mask: M, 0 or the least number there is, [B, 1, S, S].
        scaling: 1 / √d_h where it is not given.

    Returns:
        Output [B, S, N_h, d_h], and the weights [B, N_h, S, S].
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
    """What a class of transformers is to be told of its attention: ours, where it takes another than its own."""
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.modeling_utils import AttentionInterface

    if not model._supports_attention_backend:
        return "eager"
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, eager_mask)
    return NAME
