"""Scaled: a form multiplied by a trained factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.counting import change_products
from learners.forms.form import Form, Reading, Shapes
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Scaled:
    """Δh = s · form(x) with a trained scalar s, 1 at first; one more parameter per layer.

    He et al. 2022, code (`learnable_scalar`). They report no gain over a fixed scale.

    Attributes:
        form: The form that is multiplied.
    """

    form: Form

    @property
    def formula(self) -> str:
        return f"s · ({self.form.formula}), s trained"

    @property
    def packs(self) -> bool:
        return bool(getattr(self.form, "packs", False))

    @property
    def common(self) -> tuple[str, ...]:
        return self.form.common

    def shapes(self, reads: int, writes: int) -> Shapes:
        return self.form.shapes(reads, writes) | {"scale": (1,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return torch.ones(shape) if name == "scale" else self.form.initialise(name, shape, generator)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        return tensors["scale"] * self.form.change(tensors, reading)  # [B, S, writes]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        return elementwise(change_products(self.form, tensors, reading, products), tensors["scale"])
