"""Query, key and value weights of a layer as one tensor, so that one matrix product computes all three.

The three lie one after another in memory: each is a part of the fused tensor, and nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from learners.backbones.architecture import Architecture, layer_module, parameter_shapes
from learners.backbones.sites import PROJECTIONS

if TYPE_CHECKING:
    from torch import Tensor


@lru_cache(maxsize=8)
def fused_parts(architecture: Architecture) -> Mapping[str, tuple[str, ...]]:
    """Returns name of each fused tensor -> names of its parts in the checkpoint: `encoder.layer.0.qkv.weight`, `.bias`.

    Empty if the checkpoint holds them as one tensor already (ModernBERT).
    """
    places, names = architecture.anatomy.places, parameter_shapes(architecture)
    if places[PROJECTIONS[0]].part is not None:
        return MappingProxyType({})
    parts: dict[str, tuple[str, ...]] = {}
    for layer in range(architecture.layers):
        module = layer_module(architecture, layer)
        for kind in ("weight", "bias"):
            found = tuple(f"{module}.{places[role].module}.{kind}" for role in PROJECTIONS)
            if found[0] in names:
                parts[f"{module}.qkv.{kind}"] = found
    return MappingProxyType(parts)


def fused(architecture: Architecture, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns the tensors, with equal values but query, key and value in one piece of memory; and the fused tensors.

    Args:
        tensors: Name -> parameter, all of one dtype.
    """
    import torch

    parts = dict(tensors)
    whole: dict[str, Tensor] = {}
    for name, names in fused_parts(architecture).items():
        whole[name] = torch.cat([tensors[part] for part in names])
        parts |= zip(names, whole[name].chunk(len(names)), strict=True)
    return parts, whole
