"""The weights of one forward pass: those of the backbone, and in their place those that a Delta tunes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.fused import fused_parts
from learners.delta.delta import is_head
from learners.forms.packed import stacked


@dataclass(frozen=True, eq=False)
class Prepared:
    """The tensors of a Delta, ready for the forward pass.

    Attributes:
        weights: Name in the checkpoint -> weight of the encoder, in the backbone's dtype; fused ones too.
        added: Name in the Delta -> tensor of a modification, a prompt or a method of peft, in the backbone's dtype.
        head: `head.weight` [C, width] and `head.bias` [C], float32; empty if the Delta has no head.
        slots: Number K of Deltas whose tensors are stacked, in a pack. None (default): one Delta, nothing is stacked.
    """

    weights: Mapping[str, Tensor]
    added: Mapping[str, Tensor]
    head: Mapping[str, Tensor]
    slots: int | None = None


def prepared(backbone: Backbone, tensors: Mapping[str, Tensor], slots: int | None = None) -> Prepared:
    """Prepares the tensors of a Delta, or trainable tensors, for the forward pass.

    They are copied to the device of the backbone and cast to its dtype here, so that a bfloat16 forward pass trains
    float32 weights. A tensor `difference.x` gives the sum of the pretrained weight x and the difference.

    Args:
        slots: Number K of Deltas, if the tensors are those of a pack, `packed`. Default: None, they are of one Delta.
    """
    dtype, device = backbone.dtype, backbone.device
    tuned, added, head = dict[str, Tensor](), dict[str, Tensor](), dict[str, Tensor]()
    for name, tensor in tensors.items():
        part, _, key = name.partition(".")
        if is_head(name):
            head[name] = tensor.to(device)
        elif part == "backbone":
            tuned[key] = tensor.to(device, dtype)
        elif part == "difference":
            tuned[key] = (backbone.weights[key] + tensor.to(device)).to(dtype)
        else:
            added[name] = tensor.to(device, dtype)
    if not tuned:
        return Prepared(backbone.encoder, added, head, slots)
    weights = {**backbone.encoder, **tuned}
    for name, parts in fused_parts(backbone.architecture).items():
        if any(part in tuned for part in parts):
            pieces, along = [weights[part] for part in parts], -1 if name.endswith("bias") else -2
            if slots is not None:  # of the three, some may be tuned, with one tensor for each slot
                ahead = (slots, 1) if name.endswith("bias") else (slots, pieces[0].shape[-2])
                pieces = [piece.expand(*ahead, piece.shape[-1]) for piece in pieces]
            weights[name] = torch.cat(pieces, dim=along)
    return Prepared(weights, added, head, slots)


def packed(tensors: Sequence[Mapping[str, Tensor] | None], outputs: int) -> dict[str, Tensor]:
    """Stacks the tensors of K Deltas of one learner, for `prepared`.

    Args:
        tensors: The tensors of each Delta by name; None is an empty slot, whose tensors are zero. One is not empty.
        outputs: Common width C of the heads. A head with fewer outputs gets rows of zeros; do not read their logits.
    """

    def widened(name: str, tensor: Tensor) -> Tensor:
        missing = outputs - len(tensor)
        return F.pad(tensor, (0, missing) if tensor.dim() == 1 else (0, 0, 0, missing)) if is_head(name) else tensor

    model = next(each for each in tensors if each is not None)
    zeros = {name: torch.zeros_like(tensor, requires_grad=False) for name, tensor in model.items()}
    filled = [zeros if each is None else each for each in tensors]
    return stacked([{name: widened(name, tensor) for name, tensor in each.items()} for each in filled])
