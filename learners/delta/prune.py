"""Magnitude pruning to a target (Guo et al. 2021, section 3.3).

The gated scalars with the largest magnitude stay, and training continues on them. All others become zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.specification.learner import Learner, Pruning


def prune(
    learner: Learner, pruning: Pruning, trainable: Mapping[str, Tensor], gates: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Multiply the gated tensors by their gates, then set all but the largest scalars to zero, in place.

    Magnitudes are compared over all gated tensors together. Between equal magnitudes the earlier scalar stays.

    Args:
        trainable: Trainable tensors by name; changed in place.
        gates: Gate parameters a, by the name of the gated tensor.

    Returns:
        Name -> bool tensor of the same shape, True for each scalar that stays. The share of these is `target` of the
        setting, or less if the gates have closed more.
    """
    assert learner.gates is not None
    with torch.no_grad():
        for name, a in gates.items():
            trainable[name].mul_(learner.gates.deterministic(a))
        sizes = torch.cat([trainable[name].abs().reshape(-1) for name in gates])
        largest = torch.sort(sizes, descending=True, stable=True).indices[: round(pruning.target * len(sizes))]
        stays = torch.zeros(len(sizes), dtype=torch.bool, device=sizes.device)
        stays[largest] = True
        parts = torch.split(stays & (sizes > 0), [trainable[name].numel() for name in gates])
        masks = {name: part.reshape(trainable[name].shape) for name, part in zip(gates, parts, strict=True)}
        hold(masks, trainable)
    return masks


def hold(masks: Mapping[str, Tensor], trainable: Mapping[str, Tensor]) -> None:
    """Set pruned scalars to zero again, in place. The optimiser changes them, because it does not know the masks."""
    with torch.no_grad():
        for name, mask in masks.items():
            trainable[name].mul_(mask)
