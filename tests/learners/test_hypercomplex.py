"""Compacter's matrices: sums of Kronecker products, entry by entry, and sizes that have none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.published import known_architecture
from learners.delta.layout import delta_shapes
from learners.forms import Hypercomplex, Reading
from learners.forms.hypercomplex import matrix
from learners.specification.family import parse_learner
from tasks.errors import InputError

DRAW = torch.Generator().manual_seed(0)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_a_matrix_is_a_sum_of_kronecker_products(n: int, rows: int, columns: int, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    rule, s, t = (torch.randn(shape, generator=draw) for shape in ((n, n, n), (n, rows), (n, columns)))
    expected = sum(np.kron(rule[i].numpy(), np.outer(s[i].numpy(), t[i].numpy())) for i in range(n))
    found = matrix(rule, s, t)
    assert found.shape == (n * rows, n * columns)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_hypercomplex_is_its_formula() -> None:
    form = Hypercomplex(4, terms=2, activation="tanh")
    tensors = {name: torch.randn(shape, generator=DRAW) for name, shape in form.shapes(6, 8).items()}
    x, w = torch.randn(2, 3, 6, generator=DRAW), {name: t.double().numpy() for name, t in tensors.items()}
    down, up = (
        sum(np.kron(w["rule"][i], np.outer(w[f"{part}.s"][i], w[f"{part}.t"][i])) for i in range(2))
        for part in ("down", "up")
    )
    assert (down.shape, up.shape) == ((4, 6), (8, 4))
    expected = np.tanh(x.double().numpy() @ down.T + w["down.bias"]) @ up.T + w["up.bias"]
    np.testing.assert_allclose(form.change(tensors, Reading(x)).numpy(), expected, atol=1e-5)


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9))
def test_parameters(n: int, a: int, b: int) -> None:
    """n³ and, of its own, s and t of both matrices and both biases: 3d + 3m."""
    d, m = n * a, n * b
    shapes = Hypercomplex(m, terms=n).shapes(d, d)
    assert math.prod(shapes.pop("rule")) == n**3
    assert sum(map(math.prod, shapes.values())) == 3 * d + 3 * m


@pytest.mark.parametrize(
    ("size", "reads", "writes", "what"),
    [(6, 8, 8, "the bottleneck"), (8, 6, 8, "the input"), (8, 8, 6, "the output")],
)
def test_widths_that_the_terms_do_not_divide(size: int, reads: int, writes: int, what: str) -> None:
    with pytest.raises(InputError, match=rf"a multiple of terms \(4\) as the width of {what}; found 6"):
        Hypercomplex(size, terms=4).shapes(reads, writes)


def test_a_size_that_does_not_fit_is_told_of_the_specification() -> None:
    with pytest.raises(InputError, match=r"compacter:9:terms=4: terms must divide every width") as caught:
        delta_shapes(parse_learner("compacter:9"), known_architecture("bert-base"), 2)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"the output; found 768|the input; found 768"):
        delta_shapes(parse_learner("compacter:10:terms=5"), known_architecture("bert-base"), 2)


def test_start() -> None:
    """A of N(0, 0.01²); s and t uniform within Glorot's bound of a factor [k, 1]; biases zero: Δh near zero."""
    form, draw = Hypercomplex(8, terms=4), torch.Generator().manual_seed(3)
    rule = form.initialise("rule", (20, 20, 20), draw)
    assert rule.std() == pytest.approx(0.01, rel=0.03)
    s = form.initialise("up.s", (40, 500), draw)
    bound = math.sqrt(6 / 501)
    assert 0.99 * bound < s.abs().max() <= bound
    assert s.mean().abs() < 0.02 * bound
    assert not form.initialise("down.bias", (8,), draw).any()
    tensors = {name: form.initialise(name, shape, draw) for name, shape in form.shapes(16, 16).items()}
    change = form.change(tensors, Reading(torch.randn(2, 3, 16, generator=draw)))
    assert 0 < change.abs().max() < 1e-3
