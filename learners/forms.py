"""Functional forms: how a change Δh is computed from what it reads (He et al. 2022, Table 1, first column)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
Activation = Literal["gelu", "relu", "tanh", "silu", "identity"]

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "relu": F.relu,
    "tanh": torch.tanh,
    "silu": F.silu,
    "identity": lambda x: x,
}


class Form(Protocol):
    """A family of functions Δh = form(x), one per layer, described by plain data.

    `shapes(reads, writes)` names its tensors for an input of width `reads` and an output of width `writes`;
    `initialise` draws them; `change` maps x [B, S, reads] to Δh [B, S, writes].
    """

    def shapes(self, reads: int, writes: int) -> Shapes: ...
    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor: ...
    def change(self, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor: ...


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """N(0, std²) cut at two standard deviations, as TensorFlow's initialiser of the same name; float32 [shape]."""
    tensor = torch.empty(shape)
    return torch.nn.init.trunc_normal_(tensor, std=std, a=-2 * std, b=2 * std, generator=generator)


@dataclass(frozen=True)
class Bottleneck:
    """Δh = g(x W₁ + b₁) W₂ + b₂ with W₁ [d, m], W₂ [m, d]; 2md + d + m parameters.

    Houlsby et al. 2019, section 2.1 and Figure 2. `std` is 1e-2 in the paper (section 3.6) and 1e-3 in the released
    code; both leave Δh near zero. The paper says "a nonlinearity", the released code uses GELU.
    """

    size: int
    activation: Activation = "gelu"
    std: float = 1e-2

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {
            "down.weight": (self.size, reads),
            "down.bias": (self.size,),
            "up.weight": (writes, self.size),
            "up.bias": (writes,),
        }

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.zeros(shape) if name.endswith("bias") else truncated_normal(shape, self.std, generator)

    def change(self, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        hidden = ACTIVATIONS[self.activation](F.linear(x, tensors["down.weight"], tensors["down.bias"]))  # [B, S, m]
        return F.linear(hidden, tensors["up.weight"], tensors["up.bias"])  # [B, S, d]


@dataclass(frozen=True)
class TokenShift:
    """Δh_i = α_i v with α_i = w·u_i + c: a task vector v [d], weighted for each token; d + d_ff + 1 parameters.

    AdapterBias (Fu et al. 2022): L_α = (w [1, d_ff], c [1]) reads u, the activation between the two FFN
    matrices. v = 0 (released code) or v = 1 (author's sample) preserve the function of a post-LN model, as its LN
    removes any multiple of the all-ones vector. The gradient then reaches v alone; with w = 0 as well it reaches
    nothing, so `std` = 0 is refused where the learner is built.
    """

    vector: Literal["zeros", "ones"] = "zeros"
    std: float = 0.02  # initializer_range of BERT, through which the released code draws w

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"vector": (writes,), "alpha.weight": (1, reads), "alpha.bias": (1,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if name == "vector":
            return torch.zeros(shape) if self.vector == "zeros" else torch.ones(shape)
        return torch.zeros(shape) if name.endswith("bias") else torch.randn(shape, generator=generator) * self.std

    def change(self, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
        alpha = F.linear(x, tensors["alpha.weight"], tensors["alpha.bias"])  # [B, S, 1]
        return alpha * tensors["vector"]  # [B, S, d]
