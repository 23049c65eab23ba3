"""What is trained in place of a Delta's tensors: the MLP that makes the tables of a prefix, dropped after training.

Tables trained directly are less stable (Li and Liang 2021, section 4.3). P = MLP(E): a table E [l, d] and a hidden
layer shared by all layers, and for each layer an output layer to its P_k, P_v:
tanh(E W + b) W_l + b_l, [l, 2d]. Sizes and tanh as in He et al.'s code.
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
    """The modifications whose tables an MLP makes."""
    return tuple(m for m in learner.modifications if isinstance(m.form, UngatedPrefix) and m.form.mlp)


def mlp_shapes(learner: Learner, architecture: Architecture) -> Shapes:
    """Name and shape of what is trained in place of the tables."""
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
    """A first tensor as PyTorch's `Embedding` and `Linear` draw theirs; biases 0."""
    if name.endswith("bias"):
        return torch.zeros(shape)
    return torch.randn(shape, generator=generator) if name.endswith("table") else kaiming_uniform(shape, generator)


def materialize(learner: Learner, trainable: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The tensors of a Delta that these leaves stand for; where no MLP is among them, the leaves themselves."""
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
