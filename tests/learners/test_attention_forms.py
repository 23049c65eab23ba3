"""Forms that act within attention heads, against attention in numpy: prefixes, their gate, and heads with ReLU."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from learners.forms import Headwise, Prefix, Reading
from learners.forms.form import by_head, joined

DRAW = torch.Generator().manual_seed(0)
HEADS, WIDTH = 3, 4  # d = 12


def tables(form: Prefix | Headwise) -> dict[str, Tensor]:
    d = HEADS * WIDTH
    return {name: torch.randn(shape, generator=DRAW) for name, shape in form.shapes(d, d).items()}


def by_hand(x: Tensor, tensors: dict[str, Tensor], weigh: str) -> np.ndarray:
    """Each row, token and head on its own: what the scores of its query over the table make of the values."""
    q, keys, values = (t.double().numpy() for t in (x, tensors["keys"], tensors["values"]))
    expected = np.zeros_like(q)
    for row, token, head in np.ndindex(q.shape[0], q.shape[1], HEADS):
        part = slice(head * WIDTH, (head + 1) * WIDTH)
        scores = np.array([q[row, token, part] @ key[part] / math.sqrt(WIDTH) for key in keys])
        weights = np.exp(scores) / np.exp(scores).sum() if weigh == "softmax" else np.maximum(scores, 0)
        expected[row, token, part] = sum(w * value[part] for w, value in zip(weights, values, strict=True))
    return expected


@pytest.mark.parametrize("length", [1, 5])
def test_prefix_is_attention_over_its_tables(length: int) -> None:
    form, x = Prefix(length), torch.randn(2, 3, HEADS * WIDTH, generator=DRAW)
    tensors = tables(form)
    found = form.change(tensors, Reading(x, HEADS)).numpy()
    np.testing.assert_allclose(found, by_hand(x, tensors, "softmax"), atol=1e-5)


@pytest.mark.parametrize("length", [1, 5])
def test_headwise_has_relu_in_place_of_softmax(length: int) -> None:
    form, x = Headwise(length), torch.randn(2, 3, HEADS * WIDTH, generator=DRAW)
    tensors = tables(form)
    found = form.change(tensors, Reading(x, HEADS)).numpy()
    np.testing.assert_allclose(found, by_hand(x, tensors, "relu"), atol=1e-5)


def test_headwise_is_a_bottleneck_in_each_head() -> None:
    """He et al. 2022, section 4.4: of what W_q reads, W_down⁽ⁱ⁾ = W_q⁽ⁱ⁾ P_k⁽ⁱ⁾ᵀ, and a bias of b_q likewise."""
    d, form = HEADS * WIDTH, Headwise(5)
    tensors, x = tables(form), torch.randn(2, 3, 7, generator=DRAW)
    weight, bias = torch.randn(d, 7, generator=DRAW), torch.randn(d, generator=DRAW)
    found = form.change(tensors, Reading(x @ weight.T + bias, HEADS))
    for head in range(HEADS):
        part = slice(head * WIDTH, (head + 1) * WIDTH)
        keys, values = tensors["keys"][:, part] / math.sqrt(WIDTH), tensors["values"][:, part]
        down, down_bias = weight[part].T @ keys.T, bias[part] @ keys.T
        expected = torch.relu(x @ down + down_bias) @ values
        torch.testing.assert_close(found[..., part], expected, atol=1e-5, rtol=1e-5)


def test_a_headwise_change_is_of_the_second_degree_in_its_tables() -> None:
    """Why it starts near the identity: of tables as small as 0.02 the change has 0.0004."""
    form, x = Headwise(5), torch.randn(2, 3, HEADS * WIDTH, generator=DRAW)
    tensors = tables(form)
    small = form.change({name: 0.02 * table for name, table in tensors.items()}, Reading(x, HEADS))
    torch.testing.assert_close(small, 4e-4 * form.change(tensors, Reading(x, HEADS)), atol=1e-8, rtol=1e-4)


@pytest.mark.parametrize("form", [Prefix(5), Headwise(5)], ids=["prefix", "headwise"])
def test_both_have_2ld_scalars_that_start_small(form: Prefix | Headwise) -> None:
    shapes = form.shapes(768, 768)
    assert sum(map(math.prod, shapes.values())) == 2 * 5 * 768
    for name, shape in shapes.items():
        assert form.initialise(name, shape, DRAW).std() == pytest.approx(0.02, rel=0.05)


@given(length=st.integers(1, 40), tokens=st.integers(1, 40))
def test_where_nothing_stands_out_the_gate_is_the_share_of_places(length: int, tokens: int) -> None:
    """Why prefix tuning is not the identity at first: with all scores 0, λ = l / (l + S)."""
    form, x = Prefix(length), torch.zeros(1, tokens, HEADS * WIDTH)
    tensors = {name: torch.zeros(shape) for name, shape in form.shapes(HEADS * WIDTH, HEADS * WIDTH).items()}
    mass = torch.full((1, tokens, HEADS), math.log(tokens))
    gate = form.gate(tensors, Reading(x, HEADS, lambda: mass))
    assert gate.shape == x.shape
    torch.testing.assert_close(gate, torch.full_like(gate, length / (length + tokens)))


@given(shift=st.floats(-80, 80))
def test_the_gate_stays_finite_and_between_0_and_1(shift: float) -> None:
    form, x = Prefix(2), torch.ones(1, 1, HEADS * WIDTH)
    tensors = {"keys": torch.full((2, HEADS * WIDTH), shift), "values": torch.ones(2, HEADS * WIDTH)}
    for mass in (-200.0, 0.0, 200.0):
        gate = form.gate(tensors, Reading(x, HEADS, lambda mass=mass: torch.full((1, 1, HEADS), mass)))
        assert gate.isfinite().all()
        assert (gate >= 0).all()
        assert (gate <= 1).all()


def test_dropout_falls_on_the_weights_of_a_prefix_in_training_alone() -> None:
    form, x = Prefix(50), torch.randn(2, 3, HEADS * WIDTH, generator=DRAW)
    tensors = tables(form) | {"values": torch.ones(50, HEADS * WIDTH)}  # so that Δh is the sum of the weights
    plain = form.change(tensors, Reading(x, HEADS))
    torch.testing.assert_close(plain, torch.ones_like(plain))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        drawn = torch.stack([form.change(tensors, Reading(x, HEADS, dropout=0.3)) for _ in range(300)])
    assert drawn.std(0).min() > 0.01
    assert drawn.mean() == pytest.approx(1, abs=0.01), "what stays is scaled up"


def test_heads_are_cut_and_joined_again() -> None:
    x = torch.randn(2, 3, HEADS * WIDTH, generator=DRAW)
    assert by_head(x, HEADS).shape == (2, HEADS, 3, WIDTH)
    assert torch.equal(by_head(x, HEADS)[:, 1], x[..., WIDTH : 2 * WIDTH])
    assert torch.equal(joined(by_head(x, HEADS)), x)
