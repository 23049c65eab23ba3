"""Matrix products without numbers: their sizes, and which of them the backward pass repeats.

A formula for FLOPs repeats the computation that it counts, on symbols in place of tensors. It needs no PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Symbol:
    """A tensor without its numbers.

    Attributes:
        shape: Its shape.
        learns: Whether the backward pass computes its gradient: it is trained, or computed from something trained.
    """

    shape: tuple[int, ...]
    learns: bool = False

    @property
    def transposed(self) -> Symbol:
        """The matrices [.., m, n] as [.., n, m]."""
        *batch, m, n = self.shape
        return Symbol((*batch, n, m), self.learns)

    def by_head(self, heads: int) -> Symbol:
        """The last dimension split into heads: [.., S, N_h d_h] -> [.., N_h, S, d_h]."""
        *batch, length, width = self.shape
        return Symbol((*batch, heads, length, width // heads), self.learns)

    @property
    def joined(self) -> Symbol:
        """The heads joined: [.., N_h, S, d_h] -> [.., S, N_h d_h]."""
        *batch, heads, length, width = self.shape
        return Symbol((*batch, length, heads * width), self.learns)


def elementwise(h: Symbol, *others: Symbol) -> Symbol:
    """The result of an element-wise operation on h and others that are broadcast to its shape. It has no product."""
    return Symbol(h.shape, h.learns or any(other.learns for other in others))


@dataclass(eq=False)
class Products:
    """Adds up the FLOPs of matrix products, forward and backward.

    A product [m, k] [k, n] takes 2 m k n FLOPs. The backward pass has a product of the same size for each of the two
    matrices whose gradient it computes. It is assumed that every result is used.

    Attributes:
        flops: FLOPs of all products so far.
    """

    flops: int = 0

    def linear(self, x: Symbol, weight: Symbol, bias: Symbol | None = None) -> Symbol:
        """Count x Wᵀ + b: x [.., in], W [out, in] and b [out] give [.., out]."""
        out, width = weight.shape
        self._add(math.prod(x.shape[:-1]) * width * out, x, weight)
        return elementwise(Symbol((*x.shape[:-1], out), x.learns or weight.learns), *([bias] if bias else []))

    def matmul(self, a: Symbol, b: Symbol) -> Symbol:
        """Count a b for a [.., m, k] and b [.., k, n]; one of the two is repeated where only the other has batches."""
        (*batch, m, k), (*other, _, n) = a.shape, b.shape
        longer, shorter = sorted((batch, other), key=len, reverse=True)
        ahead = len(longer) - len(shorter)
        whole = [*longer[:ahead], *map(max, longer[ahead:], shorter)]
        self._add(math.prod(whole) * m * k * n, a, b)
        return Symbol((*whole, m, n), a.learns or b.learns)

    def scores(self, query: Symbol, keys: Symbol, heads: int) -> Symbol:
        """Count q kᵀ in each head: queries [B, S, N_h d_h] and keys [(B,) K, N_h d_h] give [B, N_h, S, K]."""
        return self.matmul(query.by_head(heads), keys.by_head(heads).transposed)

    def _add(self, multiplications: int, a: Symbol, b: Symbol) -> None:
        self.flops += 2 * multiplications * (1 + a.learns + b.learns)


@dataclass(frozen=True, eq=False)
class SymbolicReading:
    """What `learners.forms.Reading` gives to a form, without numbers.

    Attributes:
        x: Input of the form, [B, S, reads].
        heads: Number N_h of attention heads of the backbone.
        log_mass: Counts and returns the logarithm of the mass of the frozen attention, [B, S, N_h]. A form calls it as
            often as its `gate` calls `Reading.log_mass`.
    """

    x: Symbol
    heads: int
    log_mass: Callable[[], Symbol]
