"""The protocol of functional forms, and the functions that several forms use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from learners.forms.dropout import Noise


Shapes = dict[str, tuple[int, ...]]
Activation = Literal["gelu", "relu", "tanh", "silu", "identity"]


def _functional(name: Activation) -> Callable[[Tensor], Tensor]:
    def apply(x: Tensor) -> Tensor:
        import torch.nn.functional as F

        computed: Tensor = getattr(F, name)(x)
        return computed

    return apply


# PyTorch is imported at the first use, because lists of learners need only the names.
ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": _functional("gelu"),
    "relu": _functional("relu"),
    "tanh": lambda x: x.tanh(),
    "silu": _functional("silu"),
    "identity": lambda x: x,
}


@dataclass(frozen=True, eq=False)
class Reading:
    """The values that a form may read in one layer of one forward pass.

    Attributes:
        x: Input of the form, [B, S, reads].
        heads: Number N_h of attention heads of the backbone.
        log_mass: Returns log Σ_j exp(q·k_j/√d_h + M_j) of the frozen attention, [B, S, N_h]. It is computed only when
            a form calls it. A `Gated` form needs it; other forms accept None.
        dropout: Dropout probability of attention weights; 0 outside training.
        noise: What draws dropout (`learners.forms.dropout`); a form that packs gives it to `by_token`.
    """

    x: Tensor
    heads: int = 1
    log_mass: Callable[[], Tensor] | None = None
    dropout: float = 0.0
    noise: Noise = (None,)


class Form(Protocol):
    """A family of functions Δh = form(x), one function per layer, described by plain data.

    * `formula`: the formula as text.
    * `common`: names of the tensors that a learner with sharing `frozen-shared` trains on the first task only.
    * `shapes`: name -> shape of the tensors for an input of width `reads` and an output of width `writes`.
    * `initialise`: draws the tensor of this name, float32 [shape].
    * `change`: maps x [B, S, reads] to Δh [B, S, writes], each token for itself. It does not write into x. In a pack
      of K Deltas it maps [K, N, reads] to [K, N, writes] by stacked tensors (`learners.forms.packed`), if the form has
      an attribute `packs = True`.

    A form may also have `change_products`, which counts the matrix products of `change` from shapes, and for a `Gated`
    form `gate_products`, which counts those of `gate`. Both take the arguments of
    `learners.forms.counting.change_products`. PyTorch counts the products of a form without them.
    """

    @property
    def formula(self) -> str: ...
    @property
    def common(self) -> tuple[str, ...]: ...
    def shapes(self, reads: int, writes: int) -> Shapes: ...
    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor: ...
    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor: ...


@runtime_checkable
class Gated(Protocol):
    """A form with a gate: h ← (1 − λ) h + λ Δh. `gate` returns λ, [B, S, writes] in (0, 1)."""

    def gate(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor: ...


def covers(kind: type, promise: str, method: str) -> bool:
    """Whether a class says something of its method: an attribute `promise` that is at least as new as the method.

    A class that inherits the promise but has another method must say it again.
    """
    says, computes = (next((base for base in kind.__mro__ if name in vars(base)), None) for name in (promise, method))
    return says is not None and computes is not None and issubclass(says, computes)


def truncated_normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    """Draws from N(0, std²), cut at two standard deviations as in TensorFlow's `truncated_normal`; float32 [shape]."""
    import torch

    tensor = torch.empty(shape)
    return torch.nn.init.trunc_normal_(tensor, std=std, a=-2 * std, b=2 * std, generator=generator)


def kaiming_uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draws uniformly in ±1/√columns, like `torch.nn.Linear` and the released code of LoRA; float32 [shape]."""
    import torch

    return torch.nn.init.kaiming_uniform_(torch.empty(shape), a=math.sqrt(5), generator=generator)


def by_head(x: Tensor, heads: int) -> Tensor:
    """Splits the last dimension into heads: [B, S, N_h d_h] -> [B, N_h, S, d_h]; [l, N_h d_h] -> [N_h, l, d_h]."""
    return x.reshape(*x.shape[:-1], heads, -1).transpose(-3, -2)


def scores(query: Tensor, keys: Tensor, heads: int) -> Tensor:
    """Returns q kᵀ/√d_h in each head, [B, N_h, S, K], for queries [B, S, N_h d_h] and keys [(B,) K, N_h d_h]."""
    query = by_head(query, heads)
    return query @ by_head(keys, heads).transpose(-1, -2) / math.sqrt(query.shape[-1])


def joined(x: Tensor) -> Tensor:
    """Joins the heads: [B, N_h, S, d_h] -> [B, S, N_h d_h]."""
    return x.transpose(-3, -2).flatten(-2)
