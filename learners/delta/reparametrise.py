"""Reparametrisation of a prefix: an MLP computes its tables during training and is dropped afterwards.

Directly trained tables are less stable (Li and Liang 2021, section 4.3). P = MLP(E). All layers share a table E [l, d]
and a hidden layer. Each layer has its own output layer, which gives its P_k and P_v:
tanh(E W + b) W_l + b_l, [l, 2d]. Sizes and tanh are those of He et al.'s code.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.forms import Shapes, UngatedPrefix
from learners.forms.form import kaiming_uniform
from learners.specification.learner import Learner
from learners.specification.modification import Modification

PART = "mlp."


def parametrised(learner: Learner) -> tuple[Modification, ...]:
    """The modifications of a learner whose tables an MLP computes."""
    return tuple(m for m in learner.modifications if isinstance(m.form, UngatedPrefix) and m.form.mlp)


def mlp_shapes(learner: Learner, architecture: Architecture) -> Shapes:
    """Name and shape of each tensor of the MLP, which is trained instead of the tables."""
    shapes: Shapes = {}
    for modification in parametrised(learner):
        form = modification.form
        assert isinstance(form, UngatedPrefix)
        own, d = f"{PART}{modification.name}", modification.shapes(architecture)["keys"][1]
        shapes |= {f"{own}.table": (form.length, d)}
        shapes |= {f"{own}.hidden.weight": (form.mlp, d), f"{own}.hidden.bias": (form.mlp,)}
        for layer in range(architecture.layers):
            shapes |= {f"{own}.{layer}.weight": (2 * d, form.mlp), f"{own}.{layer}.bias": (2 * d,)}
    return shapes


def mlp_initial(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Initial tensor of the MLP, drawn as in PyTorch's `Embedding` (table) and `Linear` (weights). Biases are 0."""
    if name.endswith("bias"):
        return torch.zeros(shape)
    return torch.randn(shape, generator=generator) if name.endswith("table") else kaiming_uniform(shape, generator)


def materialize(learner: Learner, trainable: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Compute the tensors of a Delta from the trainable tensors.

    Tensors of an MLP are replaced by the tables that it computes. All other tensors stay the same objects.

    Args:
        trainable: Trainable tensors by name.
        layers: Number of layers of the backbone.
    """
    tensors = {name: leaf for name, leaf in trainable.items() if not name.startswith(PART)}
    for modification in parametrised(learner):
        own = f"{PART}{modification.name}"
        if f"{own}.table" not in trainable:
            continue
        hidden = torch.tanh(
            F.linear(trainable[f"{own}.table"], trainable[f"{own}.hidden.weight"], trainable[f"{own}.hidden.bias"])
        )  # [l, m]
        for layer in range(layers):
            tables = F.linear(hidden, trainable[f"{own}.{layer}.weight"], trainable[f"{own}.{layer}.bias"])  # [l, 2d]
            keys, values = tables.chunk(2, dim=-1)
            tensors[modification.key(layer, "keys")] = keys
            tensors[modification.key(layer, "values")] = values
    return tensors
