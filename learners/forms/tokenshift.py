"""Token shifts: one vector for a layer, weighted for each token. AdapterBias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.forms.form import Reading, Shapes


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

    @property
    def formula(self) -> str:
        return "(w·x + c) v"

    @property
    def common(self) -> tuple[str, ...]:
        return ("alpha.weight", "alpha.bias")

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"vector": (writes,), "alpha.weight": (1, reads), "alpha.bias": (1,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if name == "vector":
            return torch.zeros(shape) if self.vector == "zeros" else torch.ones(shape)
        return torch.zeros(shape) if name.endswith("bias") else torch.randn(shape, generator=generator) * self.std

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        alpha = F.linear(reading.x, tensors["alpha.weight"], tensors["alpha.bias"])  # [B, S, 1]
        return alpha * tensors["vector"]  # [B, S, d]
