"""Headwise: a bottleneck in each attention head, with the query as input. For multi-head parallel adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.form import ACTIVATIONS, Activation, Reading, Shapes, by_head, joined, scores
from learners.forms.products import Products, Symbol, SymbolicReading

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Headwise:
    """Δh⁽ⁱ⁾ = g(q⁽ⁱ⁾ P_k⁽ⁱ⁾ᵀ / √d_h) P_v⁽ⁱ⁾ in head i, with query q⁽ⁱ⁾; P_k, P_v [l, d]; 2ld parameters.

    He et al. 2022, section 4.4: prefix tuning without softmax and gate. The down-projection is W_down⁽ⁱ⁾ = W_q⁽ⁱ⁾
    P_k⁽ⁱ⁾ᵀ. It includes the frozen W_q (released code: `cross_attn_relu`), so it costs as much as a parallel
    adapter. The tables start from N(0, 0.02²), like the prefix in the released code.

    Attributes:
        size: Bottleneck l of each head.
        activation: Non-linearity g.
        std: Standard deviation of the initial tables.
    """

    size: int
    activation: Activation = "relu"
    std: float = 0.02

    packs = True

    @property
    def formula(self) -> str:
        return f"{self.activation}(q P_kᵀ/√d_h) P_v in each head, l = {self.size}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("keys",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"keys": (self.size, reads), "values": (self.size, writes)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return torch.randn(shape, generator=generator) * self.std

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        weights = ACTIVATIONS[self.activation](scores(reading.x, tensors["keys"], reading.heads))  # [B, N_h, S, l]
        return joined(weights @ by_head(tensors["values"], reading.heads))  # [B, S, d]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        weights = products.scores(reading.x, tensors["keys"], reading.heads)  # [B, N_h, S, l]
        return products.matmul(weights, tensors["values"].by_head(reading.heads)).joined  # [B, S, d]
