"""Rescaling: one learned factor for each dimension. IA3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from learners.forms.form import Reading, Shapes


@dataclass(frozen=True)
class Rescale:
    """Δh = h ⊙ (l − 1), so that h ⊙ l comes out; l [d] is 1 at first: the identity, exactly. d parameters.

    Liu et al. 2022 (T-Few), section 3.3.
    """

    @property
    def formula(self) -> str:
        return "x ⊙ (l − 1)"

    @property
    def common(self) -> tuple[str, ...]:
        return ("factor",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"factor": (writes,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return torch.ones(shape)

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        return reading.x * (tensors["factor"] - 1)
