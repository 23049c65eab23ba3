"""Dropout by 16 bits an element: shares, scale and gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learners.forms.dropout import STEPS, dropout


@pytest.mark.parametrize("p", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_the_share_that_is_dropped(p: float) -> None:
    torch.manual_seed(0)
    n = 1 << 20
    found = (dropout(torch.ones(n), p) == 0).double().mean().item()
    assert abs(found - p) < 5 * math.sqrt(p * (1 - p) / n) + 1 / STEPS  # five standard deviations, and the rounding


@pytest.mark.parametrize("place", range(4))
def test_every_quarter_of_a_word_is_as_random(place: int) -> None:
    torch.manual_seed(1)
    n, p = 1 << 20, 0.1
    quarter = dropout(torch.ones(n), p)[place::4] == 0
    assert abs(quarter.double().mean().item() - p) < 5 * math.sqrt(p * (1 - p) / (n / 4)) + 1 / STEPS
    neighbours = (quarter[1:] & quarter[:-1]).double().mean().item()
    assert abs(neighbours - p * p) < 5 * math.sqrt(p * p / (n / 4)) + 2 / STEPS


@given(shape=st.lists(st.integers(0, 7), min_size=1, max_size=4), p=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_what_stays_is_scaled_and_carries_the_gradient(shape: list[int], p: float, seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.full(shape, 3.0, requires_grad=True)
    y = dropout(x, p)
    assert y.shape == x.shape
    (gradient,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(gradient * 3.0, y.detach())
    rounded = round(p * STEPS) / STEPS
    kept = y.detach()[y.detach() != 0]
    assert not len(kept) or torch.allclose(kept, torch.tensor(3.0 / (1 - rounded)))


def test_none_and_all() -> None:
    x = torch.randn(5, 5)
    assert torch.equal(dropout(x, 0.0), x)
    assert not dropout(x, 1.0).any()
