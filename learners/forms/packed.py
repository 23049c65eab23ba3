"""Operations on the tensors of one Delta, or of the K Deltas of a pack at once.

In a pack, the tensors of K Deltas are stacked: a matrix is [K, out, in] and a vector [K, 1, d]. A form then reads
x [K, N, reads], with N = B S tokens for each Delta, and not [B, S, reads]. Sums and products of elements broadcast by
themselves, and so do products of heads; what does not is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Returns x Wᵀ + b, [.., out] for x [.., in]. Weight and bias may each be stacked; x then begins with the slots."""
    import torch
    import torch.nn.functional as F

    if (slots := slots_of(weight, bias)) is None:
        return F.linear(x, weight, bias)
    tokens = by_slot(x, slots)  # [K, N, in]
    if weight.dim() == 2:
        y = F.linear(tokens, weight)
        y = y if bias is None else y + bias
    else:
        y = torch.bmm(tokens, weight.mT) if bias is None else torch.baddbmm(bias, tokens, weight.mT)
    return y.view(*x.shape[:-1], y.shape[-1])


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor | None, epsilon: float = 1e-5) -> Tensor:
    """Returns x normed over its last dimension, times a gain, plus a bias (Ba et al. 2016). Both may be stacked."""
    import torch.nn.functional as F

    if (slots := slots_of(gain, bias)) is None:
        return F.layer_norm(x, x.shape[-1:], gain, bias, epsilon)
    y = by_slot(F.layer_norm(x, x.shape[-1:], eps=epsilon), slots) * gain
    return (y if bias is None else y + bias).view(x.shape)


def slots_of(weight: Tensor, bias: Tensor | None = None) -> int | None:
    """Returns the number of slots of stacked tensors; None if they belong to one Delta or to the backbone."""
    for tensor in (weight, bias):
        if tensor is not None and tensor.dim() == 3:
            return len(tensor)
    return None


def by_slot(x: Tensor, slots: int | None) -> Tensor:
    """Returns x [K B, S, d] or [K, .., d] as [K, N, d], for K slots; as it is without slots."""
    return x if slots is None else x.reshape(slots, -1, x.shape[-1])


def stacked(tensors: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Returns the tensors of K Deltas as one tensor each, by name: a vector as [K, 1, d], others as [K, ..].

    Args:
        tensors: The tensors of each Delta, with equal names and shapes.
    """
    import torch

    found = {name: torch.stack([each[name] for each in tensors]) for name in tensors[0]}
    return {name: tensor[:, None] if tensor.dim() == 2 else tensor for name, tensor in found.items()}
