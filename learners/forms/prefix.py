"""Prefix: learned keys and values before the keys and values of every layer's attention. For prefix tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from learners.forms.form import Reading, Shapes, by_head, joined, scores
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class UngatedPrefix:
    """Δh⁽ⁱ⁾ = softmax(q⁽ⁱ⁾ P_k⁽ⁱ⁾ᵀ / √d_h) P_v⁽ⁱ⁾, added to h; P_k, P_v [l, d]; 2ld parameters.

    He et al. 2022, section 3.1: prefix tuning without its gate. The gate is what distinguishes it from an adapter.

    Attributes:
        length: Number l of learned keys and values.
        std: Standard deviation of the initial tables, if there is no MLP; 0.02 in the code of He et al.
        mlp: Width of the MLP that computes the tables in training (`learners.delta.reparametrise`); 0: no MLP.
    """

    length: int
    std: float = 0.02
    mlp: int = 0

    packs = True

    @property
    def formula(self) -> str:
        return f"softmax(q P_kᵀ/√d_h) P_v in each head, l = {self.length}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("keys",)

    def shapes(self, reads: int, writes: int) -> Shapes:
        return {"keys": (self.length, reads), "values": (self.length, writes)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        return torch.randn(shape, generator=generator) * self.std

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        import torch

        from learners.forms.dropout import by_token

        weights = torch.softmax(scores(reading.x, tensors["keys"], reading.heads), dim=-1)  # [B, N_h, S, l]
        weights = by_token(weights, reading.dropout, reading.noise)
        return joined(weights @ by_head(tensors["values"], reading.heads))  # [B, S, d]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        weights = products.scores(reading.x, tensors["keys"], reading.heads)  # [B, N_h, S, l]
        return products.matmul(weights, tensors["values"].by_head(reading.heads)).joined  # [B, S, d]


@dataclass(frozen=True)
class Prefix(UngatedPrefix):
    """Prefix tuning: as `UngatedPrefix`, but with a gate, h ← (1 − λ) h + λ Δh.

    Li and Liang 2021; in this form He et al. 2022, section 3.1, equations 7 to 9. λ is the share of the attention that
    the prefix gets. So the result equals attention over the keys [P_k; K] and the values [P_v; V], while the frozen
    attention itself is not changed.
    """

    packs = True

    def gate(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        """Returns λ = p / (p + Σ_j exp(q·k_j/√d_h + M_j)) with p = Σ_i exp(q·P_k,i/√d_h), [B, S, d].

        λ has the same value in all dimensions of a head.
        """
        import torch

        assert reading.log_mass is not None
        mass = torch.logsumexp(scores(reading.x, tensors["keys"], reading.heads), dim=-1).transpose(1, 2)  # [B, S, N_h]
        share = torch.sigmoid(mass - reading.log_mass())
        return share.repeat_interleave(tensors["values"].shape[-1] // reading.heads, dim=-1)

    def gate_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        mass = products.scores(reading.x, tensors["keys"], reading.heads)  # the second time: `change` has its own
        return elementwise(Symbol((*reading.x.shape[:-1], tensors["values"].shape[-1])), mass, reading.log_mass())
