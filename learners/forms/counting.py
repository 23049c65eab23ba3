"""The products of any form: by the formula of the form itself, or counted by PyTorch if it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from learners.forms.form import Form, Gated, Reading, covers
from learners.forms.products import Products, Symbol, SymbolicReading

if TYPE_CHECKING:
    from torch import Tensor


def change_products(form: Form, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
    """Count the products of `form.change`. Returns Δh, [B, S, writes].

    Args:
        tensors: Tensors of the form in one layer, by name.
    """
    if has_formula(form, "change"):
        formula: Any = form
        counted: Symbol = formula.change_products(tensors, reading, products)
        return counted
    return pytorch_count(form.change, tensors, reading, products)


def gate_products(form: Gated, tensors: Mapping[str, Symbol], reading: SymbolicReading, products: Products) -> Symbol:
    """Count the products of `form.gate`. Returns λ, [B, S, writes]. Arguments as for `change_products`."""
    if has_formula(form, "gate"):
        formula: Any = form
        counted: Symbol = formula.gate_products(tensors, reading, products)
        return counted
    return pytorch_count(form.gate, tensors, reading, products)


def has_formula(form: object, method: str) -> bool:
    """Whether a form has a formula for the products of this method, `change` or `gate`.

    A formula does not count for a class that inherits it but has another `change` or `gate`.
    """
    return covers(type(form), f"{method}_products", method)


def pytorch_count(
    method: Callable[[Mapping[str, Tensor], Reading], Tensor],
    tensors: Mapping[str, Symbol],
    reading: SymbolicReading,
    products: Products,
) -> Symbol:
    """Call a method of a form on tensors of ones, forward and backward, and add the FLOPs that PyTorch counts."""
    import torch

    from learners.forms.counter import PytorchCounter

    def ones(symbol: Symbol) -> Tensor:
        return torch.ones(symbol.shape).requires_grad_(symbol.learns)

    def log_mass() -> Tensor:
        return ones(reading.log_mass())

    with torch.inference_mode(False), torch.enable_grad():
        given = {name: ones(symbol) for name, symbol in tensors.items()}
        x = ones(reading.x)
        with PytorchCounter() as counter:
            output = method(given, Reading(x, reading.heads, log_mass))
            if output.requires_grad:
                torch.autograd.backward(output.sum())
    products.flops += counter.found
    return Symbol(tuple(output.shape), output.requires_grad)
