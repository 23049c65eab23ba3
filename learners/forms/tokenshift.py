"""Token shift: one vector per layer with one weight per token. For AdapterBias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from learners.forms.form import Reading, Shapes
from learners.forms.packed import linear
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class TokenShift:
    """Δh_i = α_i v with α_i = w·u_i + c: a task vector v [d] with one weight per token i; d + d_ff + 1 parameters.

    AdapterBias (Fu et al. 2022). The linear layer L_α = (w [1, d_ff], c [1]) reads u, the activation between the two
    FFN matrices. At first v is 0 (released code) or 1 (author's sample). Both leave the function of a post-LN model
    unchanged, because its LayerNorm removes every multiple of the all-ones vector. Then only v has a gradient. If w
    were 0 as well, nothing would have a gradient, so `learners.methods.adapterbias` refuses `std` = 0.

    Attributes:
        vector: Initial v.
        std: Standard deviation of the initial w.
    """

    vector: Literal["zeros", "ones"] = "zeros"
    std: float = 0.02  # initializer_range of BERT, with which the released code draws w

    packs = True

    @property
    def formula(self) -> str:
        return "(w·x + c) v"

    @property
    def common(self) -> tuple[str, ...]:
        return ("alpha.weight", "alpha.bias")

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"vector": (writes,), "alpha.weight": (1, reads), "alpha.bias": (1,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        if name == "vector":
            return torch.zeros(shape) if self.vector == "zeros" else torch.ones(shape)
        return torch.zeros(shape) if name.endswith("bias") else torch.randn(shape, generator=generator) * self.std

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        alpha = linear(reading.x, tensors["alpha.weight"], tensors["alpha.bias"])  # [B, S, 1]
        return alpha * tensors["vector"]  # [B, S, d]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        alpha = products.linear(reading.x, tensors["alpha.weight"], tensors["alpha.bias"])  # [B, S, 1]
        return elementwise(Symbol((*alpha.shape[:-1], *tensors["vector"].shape)), alpha, tensors["vector"])  # [B, S, d]
