"""Bottleneck: a projection down to m dimensions, a non-linearity, and a projection up. For all kinds of adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from learners.forms.form import ACTIVATIONS, Activation, Reading, Shapes, kaiming_uniform, truncated_normal
from learners.forms.packed import layer_norm, linear
from learners.forms.products import Products, Symbol, SymbolicReading, elementwise

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Norm = Literal["none", "input", "bottleneck"]


@dataclass(frozen=True)
class Bottleneck:
    """Δh = g(x W₁ + b₁) W₂ + b₂ with W₁ [reads, m] and W₂ [m, d]; 2md + d + m parameters if reads = d.

    Houlsby et al. 2019, section 2.1 and Figure 2. The paper says "a nonlinearity"; the released code uses GELU.

    Attributes:
        size: Bottleneck m.
        activation: Non-linearity g.
        std: Standard deviation of init `normal`.
        init: `normal`: truncated normal with deviation `std` (1e-2 in the paper, section 3.6; 1e-3 in the released
            code), so that Δh is near zero. `lora`: W₁ uniform and W₂ zero, so that Δh is exactly zero (He et al. 2022,
            code).
        depth: Number of linear layers. If it exceeds two, there are depth − 2 matrices [m, m] in between, each after a
            non-linearity. Houlsby et al. tried this and `norm` (section 3.6); the definitions are ours.
        norm: LayerNorm with trained gain and bias: of the `input` (2·reads parameters), of the `bottleneck` (2m
            parameters), or `none`.
    """

    size: int
    activation: Activation = "gelu"
    std: float = 1e-2
    init: Literal["normal", "lora"] = "normal"
    depth: int = 2
    norm: Norm = "none"

    packs = True

    @property
    def formula(self) -> str:
        x, g = ("LN(x)" if self.norm == "input" else "x"), self.activation
        inside = f"LN({x} W₁ + b₁)" if self.norm == "bottleneck" else f"{x} W₁ + b₁"
        deeper = "".join(f" → {g}(· M{k} + c{k})" for k in range(1, self.depth - 1))
        return f"{g}({inside}){deeper} W₂ + b₂, m = {self.size}"

    @property
    def common(self) -> tuple[str, ...]:
        return ("down.weight", "down.bias")

    def shapes(self, reads: int, writes: int) -> Shapes:
        m = self.size
        shapes: Shapes = {"down.weight": (m, reads), "down.bias": (m,)}
        for k in range(1, self.depth - 1):
            shapes |= {f"middle{k}.weight": (m, m), f"middle{k}.bias": (m,)}
        if self.norm != "none":
            width = reads if self.norm == "input" else m
            shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
        return shapes | {"up.weight": (writes, m), "up.bias": (writes,)}

    def initialise(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        import torch

        if name.endswith("bias") or (name == "up.weight" and self.init == "lora"):
            return torch.zeros(shape)
        if name == "norm.weight":
            return torch.ones(shape)
        return (
            kaiming_uniform(shape, generator) if self.init == "lora" else truncated_normal(shape, self.std, generator)
        )

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        g, x = ACTIVATIONS[self.activation], reading.x
        if self.norm == "input":
            x = layer_norm(x, tensors["norm.weight"], tensors["norm.bias"])
        x = linear(x, tensors["down.weight"], tensors["down.bias"])  # [B, S, m]
        if self.norm == "bottleneck":
            x = layer_norm(x, tensors["norm.weight"], tensors["norm.bias"])
        x = g(x)
        for k in range(1, self.depth - 1):
            x = g(linear(x, tensors[f"middle{k}.weight"], tensors[f"middle{k}.bias"]))
        return linear(x, tensors["up.weight"], tensors["up.bias"])  # [B, S, d]

    def change_products(self, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
        x, norm = reading.x, [tensors[name] for name in ("norm.weight", "norm.bias") if name in tensors]
        if self.norm == "input":
            x = elementwise(x, *norm)
        x = products.linear(x, tensors["down.weight"], tensors["down.bias"])  # [B, S, m]
        if self.norm == "bottleneck":
            x = elementwise(x, *norm)
        for k in range(1, self.depth - 1):
            x = products.linear(x, tensors[f"middle{k}.weight"], tensors[f"middle{k}.bias"])
        return products.linear(x, tensors["up.weight"], tensors["up.bias"])  # [B, S, d]
