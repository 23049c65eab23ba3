"""Rescale: one learned factor per dimension. For IA3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.form import Reading, Shapes
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Rescale:
    """Δh = h ⊙ (l − 1) with l [d], so that h + Δh = h ⊙ l; d parameters.

    Liu et al. 2022 (T-Few), section 3.3. All entries of l are 1 at first, so Δh is exactly zero.
    """

    packs = True

    @property
    def formula(self) -> str:
        return "x ⊙ (l − 1)"

    @property
    def common(self) -> tuple[str, ...]:
        return ("factor",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"factor": (writes,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return torch.ones(shape)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        return reading.x * (tensors["factor"] - 1)

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        return elementwise(reading.x, tensors["factor"])
