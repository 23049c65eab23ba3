"""Magnitude pruning to a target: of all gated scalars the largest stay, and are trained on (Guo et al. 2021, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.specification.learner import Learner, Pruning


def prune(
    learner: Learner, pruning: Pruning, trainable: Mapping[str, Tensor], gates: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Apply the gates to their leaves, zero all but the largest scalars over all of them, and return what stays.

    Returns:
        Name -> bool tensor, True where a scalar stays: `target` of them all, ties broken by place, fewer where gates
        have closed more.
    """
    assert learner.gates is not None
    with torch.no_grad():
        for name, a in gates.items():
            trainable[name].mul_(learner.gates.deterministic(a))
        sizes = torch.cat([trainable[name].abs().reshape(-1) for name in gates])
        largest = torch.sort(sizes, descending=True, stable=True).indices[: round(pruning.target * len(sizes))]
        stays = torch.zeros(len(sizes), dtype=torch.bool)
        stays[largest] = True
        parts = torch.split(stays & (sizes > 0), [trainable[name].numel() for name in gates])
        masks = {name: part.reshape(trainable[name].shape) for name, part in zip(gates, parts, strict=True)}
        hold(masks, trainable)
    return masks


def hold(masks: Mapping[str, Tensor], trainable: Mapping[str, Tensor]) -> None:
    """Zero again what a step has moved though it does not stay: moments and decay know no mask."""
    with torch.no_grad():
        for name, mask in masks.items():
            trainable[name].mul_(mask)
