"""Low rank: a product of two thin matrices. For LoRA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.form import Reading, Shapes, kaiming_uniform
from learners.forms.packed import linear
from learners.forms.products import Products, Symbol, SymbolicReading

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class LowRank:
    """Δh = x A B with A [reads, r], B [r, writes]; r (reads + writes) parameters.

    Hu et al. 2022 (LoRA), section 4.1. A is drawn as in the released code, which notes that the paper differs. B starts
    at zero, so Δh is exactly zero at first. The tensors have the layout of `torch.nn.Linear`: A [r, reads], B [writes,
    r].

    Attributes:
        rank: r.
    """

    rank: int

    packs = True

    @property
    def formula(self) -> str:
        return f"x A B, r = {self.rank}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("A",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"A": (self.rank, reads), "B": (writes, self.rank)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return kaiming_uniform(shape, generator) if name == "A" else torch.zeros(shape)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        return linear(linear(reading.x, tensors["A"]), tensors["B"])  # [B, S, writes]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        return products.linear(products.linear(reading.x, tensors["A"]), tensors["B"])  # [B, S, writes]
