"""Hypercomplex: a bottleneck whose weights are sums of Kronecker products with one shared factor. For Compacter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.form import ACTIVATIONS, Activation, Reading, Shapes
from learners.forms.packed import linear
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise
from tasks.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Hypercomplex:
    """Δh = g(x W₁ + b₁) W₂ + b₂ with W = Σ_{i≤n} A_i ⊗ (s_i t_iᵀ), A_i [n, n]; n³ shared + 3d + 3m own parameters.

    Karimi Mahabadi et al. 2021 (Compacter), sections 3.2 and 3.3, with GELU and rank 1. A is drawn from N(0, 0.01²); s
    and t are drawn by Glorot's uniform rule, as in the released code.

    Attributes:
        size: Bottleneck m. `terms` must divide m and d.
        terms: Number n of terms.
        activation: Non-linearity g.
        std: Standard deviation of the initial A.
    """

    size: int
    terms: int = 4
    activation: Activation = "gelu"
    std: float = 0.01

    packs = True

    @property
    def formula(self) -> str:
        return f"{self.activation}(x W₁ + b₁) W₂ + b₂, W = Σ A_i ⊗ s_i t_iᵀ, m = {self.size}, n = {self.terms}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("rule",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        n, m = self.terms, self.size
        for what, width in (("the bottleneck", m), ("the input", reads), ("the output", writes)):
            if width % n:
                where, expected = f"compacter:{m}:terms={n}", f"a multiple of terms ({n}) as the width of {what}"
                raise InputError("terms must divide every width", where=where, expected=expected, found=str(width))
        return {
            "rule": (n, n, n),
            "down.s": (n, m // n),
            "down.t": (n, reads // n),
            "down.bias": (m,),
            "up.s": (n, writes // n),
            "up.t": (n, m // n),
            "up.bias": (writes,),
        }

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        if name.endswith("bias"):
            return torch.zeros(shape)
        if name == "rule":
            return torch.randn(shape, generator=generator) * self.std
        bound = math.sqrt(6 / (shape[-1] + 1))  # Glorot: √(6 / (fan in + fan out)) of a factor [·, 1]
        return (torch.rand(shape, generator=generator) * 2 - 1) * bound

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        down, up = (matrix(tensors["rule"], tensors[f"{part}.s"], tensors[f"{part}.t"]) for part in ("down", "up"))
        hidden = ACTIVATIONS[self.activation](linear(reading.x, down, tensors["down.bias"]))  # [B, S, m]
        return linear(hidden, up, tensors["up.bias"])  # [B, S, d]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        down, up = (
            matrix_products(tensors["rule"], tensors[f"{part}.s"], tensors[f"{part}.t"], products)
            for part in ("down", "up")
        )
        hidden = products.linear(reading.x, down, tensors["down.bias"])  # [B, S, m]
        return products.linear(hidden, up, tensors["up.bias"])  # [B, S, d]


def matrix(rule: Tensor, s: Tensor, t: Tensor) -> Tensor:
    """Returns Σ_i A_i ⊗ (s_i t_iᵀ), [out, in], for `rule` A [n, n, n], s [n, out/n] and t [n, in/n]; in a pack of K,
    [K, out, in] for [K, n, ..] each."""
    import torch

    n = rule.shape[-1]
    outer = s.unsqueeze(-1) * t.unsqueeze(-2)  # einsum of three tensors has another order if opt_einsum is installed
    whole: Tensor = torch.einsum("...iab,...ixy->...axby", rule, outer)
    return whole.reshape(*rule.shape[:-3], n * s.shape[-1], n * t.shape[-1])


def matrix_products(rule: Symbol, s: Symbol, t: Symbol, products: Products) -> Symbol:
    """Count the products of `matrix`: einsum makes one of [n n, n] and [n, out/n · in/n].

    For n = 1 it multiplies element by element.
    """
    n, (_, x), (_, y) = rule.shape[0], s.shape, t.shape
    outer = Symbol((n, x * y), s.learns or t.learns)
    whole = products.matmul(Symbol((n * n, n), rule.learns), outer) if n > 1 else elementwise(outer, rule)
    return Symbol((n * x, n * y), whole.learns)
