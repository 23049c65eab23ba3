"""Hypercomplex bottlenecks: weights as sums of Kronecker products, one factor shared by all. Compacter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from learners.forms.form import ACTIVATIONS, Activation, Reading, Shapes
from tasks.errors import InputError


@dataclass(frozen=True)
class Hypercomplex:
    """Δh = g(x W₁ + b₁) W₂ + b₂ with W = Σ_{i≤n} A_i ⊗ (s_i t_iᵀ), A_i [n, n]; n³ and, unshared, 3d + 3m parameters.

    Karimi Mahabadi et al. 2021 (Compacter), sections 3.2 and 3.3, GELU and rank 1. A is drawn N(0, 0.01²), s and t
    by Glorot's uniform rule, as their released code does.

    Attributes:
        size: m; a multiple of `terms`, as is d.
        terms: n.
    """

    size: int
    terms: int = 4
    activation: Activation = "gelu"
    std: float = 0.01

    @property
    def formula(self) -> str:
        return f"{self.activation}(x W₁ + b₁) W₂ + b₂, W = Σ A_i ⊗ s_i t_iᵀ, m = {self.size}, n = {self.terms}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("rule",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        n, m = self.terms, self.size
        for what, width in (("the bottleneck", m), ("what is read", reads), ("what is changed", writes)):
            if width % n:
                where, expected = f"compacter:{m}:terms={n}", f"a multiple of terms ({n}) as the width of {what}"
                raise InputError("no sum of Kronecker products", where=where, expected=expected, found=str(width))
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
        if name.endswith("bias"):
            return torch.zeros(shape)
        if name == "rule":
            return torch.randn(shape, generator=generator) * self.std
        bound = math.sqrt(6 / (shape[-1] + 1))  # Glorot: √(6 / (fan in + fan out)) of a factor [·, 1]
        return (torch.rand(shape, generator=generator) * 2 - 1) * bound

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        down, up = (matrix(tensors["rule"], tensors[f"{part}.s"], tensors[f"{part}.t"]) for part in ("down", "up"))
        hidden = ACTIVATIONS[self.activation](F.linear(reading.x, down, tensors["down.bias"]))  # [B, S, m]
        return F.linear(hidden, up, tensors["up.bias"])  # [B, S, d]


def matrix(rule: Tensor, s: Tensor, t: Tensor) -> Tensor:
    """Σ_i A_i ⊗ (s_i t_iᵀ), [out, in], of A [n, n, n], s [n, out/n], t [n, in/n]."""
    n = rule.shape[0]
    outer = s.unsqueeze(2) * t.unsqueeze(1)  # by hand: what einsum does first of three depends on opt_einsum's presence
    whole: Tensor = torch.einsum("iab,ixy->axby", rule, outer)
    return whole.reshape(n * s.shape[1], n * t.shape[1])
