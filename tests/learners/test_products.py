"""Products of functional forms: by their formulas, and by PyTorch for a form that has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from learners.forms import (
    Bottleneck,
    Form,
    Gated,
    Headwise,
    Hypercomplex,
    LowRank,
    Prefix,
    Products,
    Reading,
    Rescale,
    Scaled,
    Symbol,
    SymbolicReading,
    TokenShift,
    UngatedPrefix,
    change_products,
    gate_products,
)
from learners.forms.counting import has_formula, pytorch_count
from learners.forward.flops import flops_per_row
from learners.forward.polynomial import total_flops
from learners.methods.vera import ScaledRandom
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from tests.counted import LENGTH, ROWS, counted
from tests.loaded import backbone

FORMS: tuple[Form, ...] = (
    Bottleneck(3),
    Bottleneck(3, depth=4, norm="input"),
    Bottleneck(3, depth=3, norm="bottleneck"),
    Headwise(3),
    Hypercomplex(4, terms=1),
    Hypercomplex(4, terms=2),
    LowRank(3),
    UngatedPrefix(3),
    Prefix(3),
    Rescale(),
    Scaled(LowRank(3)),
    TokenShift(),
    ScaledRandom(3),
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.formula)
@pytest.mark.parametrize("x_learns", [False, True])
def test_a_form_needs_products_for_what_learns(form: Form, x_learns: bool) -> None:
    """Whichever of its tensors are trained: nothing, everything, each alone, all but each."""
    reads, writes, heads = 8, 8, 2
    shapes = form.shapes(reads, writes)
    alone = [tuple(i == j for j in range(len(shapes))) for i in range(-1, len(shapes))]
    for learns in {*alone, *(tuple(not own for own in each) for each in alone)}:
        tensors = {name: Symbol(shape, own) for (name, shape), own in zip(shapes.items(), learns, strict=True)}
        reading = SymbolicReading(Symbol((2, 5, reads), x_learns), heads, partial(Symbol, (2, 5, heads), x_learns))
        pairs: list[tuple[Any, Any]] = [(form.change, partial(change_products, form))]
        pairs += [(form.gate, partial(gate_products, form))] if isinstance(form, Gated) else []
        for method, formula in pairs:
            by_pytorch, by_formula = Products(), Products()
            expected = pytorch_count(method, tensors, reading, by_pytorch)
            assert formula(tensors, reading, by_formula) == expected
            assert by_formula.flops == by_pytorch.flops


def test_our_forms_have_formulas() -> None:
    learners = [parse_learner(example) for family in families().values() for example in family.examples]
    forms = {modification.form for learner in learners for modification in learner.modifications}
    assert len({type(form) for form in forms}) >= 9
    assert all(has_formula(form, "change") for form in forms)
    assert all(has_formula(form, "gate") for form in forms if isinstance(form, Gated))


@dataclass(frozen=True)
class Cubic(LowRank):
    """A form as in a plug-in: with three products, two of them its own, and without a formula."""

    rank: int = 3

    def change(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        x = reading.x.relu()
        return torch.nn.functional.linear(x @ tensors["A"].T @ tensors["A"] @ tensors["A"].T, tensors["B"])


@dataclass(frozen=True)
class Attending(Cubic):
    """It also has a gate with two products, one of them that of the mass of attention."""

    def gate(self, tensors: Mapping[str, Tensor], reading: Reading) -> Tensor:
        assert reading.log_mass is not None
        share = (reading.x @ tensors["A"].T).sum(-1, keepdim=True) - reading.log_mass()
        return torch.sigmoid(share.sum(-1, keepdim=True)).expand_as(reading.x)


def own_learner(form: Form) -> Learner:
    changes = (Modification("own", form, "attention.heads", "attention.query"),)
    return Learner("own", "own", Training(1e-3), modifications=changes)


@pytest.mark.parametrize("form", [Cubic(), Attending(), Scaled(Cubic())], ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("backward", [False, True])
def test_a_form_without_a_formula_is_counted_by_pytorch(form: Form, backward: bool) -> None:
    assert isinstance(form, Scaled) or not has_formula(form, "change")  # that of its base counts other products
    base, learner = backbone(), own_learner(form)
    found = flops_per_row(base.architecture, learner, 3, backward=backward)
    assert total_flops(found, ROWS, LENGTH) == counted(base, learner, backward)


def test_counting_draws_nothing() -> None:
    before = torch.get_rng_state()
    flops_per_row(backbone().architecture, own_learner(Cubic()), 2, backward=True)
    assert torch.equal(before, torch.get_rng_state())
