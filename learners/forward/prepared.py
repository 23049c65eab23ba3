"""The weights of one forward pass: those of the backbone, and in their place those that a Delta tunes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.fused import fused_parts
from learners.delta.delta import is_head


@dataclass(frozen=True, eq=False)
class Prepared:
    """The tensors of a Delta, ready for the forward pass.

    Attributes:
        weights: Name in the checkpoint -> weight of the encoder, in the backbone's dtype; fused ones too.
        added: Name in the Delta -> tensor of a modification, a prompt or a method of peft, in the backbone's dtype.
        head: `head.weight` [C, width] and `head.bias` [C], float32; empty if the Delta has no head.
    """

    weights: Mapping[str, Tensor]
    added: Mapping[str, Tensor]
    head: Mapping[str, Tensor]


def prepared(backbone: Backbone, tensors: Mapping[str, Tensor]) -> Prepared:
    """Prepares the tensors of a Delta, or trainable tensors, for the forward pass.

    They are cast to the backbone's dtype here, so that a bfloat16 forward pass trains float32 weights. A tensor
    `difference.x` gives the sum of the pretrained weight x and the difference.
    """
    dtype, tuned, added, head = backbone.dtype, dict[str, Tensor](), dict[str, Tensor](), dict[str, Tensor]()
    for name, tensor in tensors.items():
        part, _, key = name.partition(".")
        if is_head(name):
            head[name] = tensor
        elif part == "backbone":
            tuned[key] = tensor.to(dtype)
        elif part == "difference":
            tuned[key] = (backbone.weights[key] + tensor).to(dtype)
        else:
            added[name] = tensor.to(dtype)
    if not tuned:
        return Prepared(backbone.encoder, added, head)
    weights = {**backbone.encoder, **tuned}
    for name, parts in fused_parts(backbone.architecture).items():
        if any(part in tuned for part in parts):
            weights[name] = torch.cat([weights[part] for part in parts])
    return Prepared(weights, added, head)
