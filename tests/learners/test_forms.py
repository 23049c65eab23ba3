"""Functional forms against their formulas, entry by entry."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm

from learners.forms import ACTIVATIONS, Bottleneck, TokenShift, truncated_normal

DRAW = torch.Generator().manual_seed(0)


def gelu(x: np.ndarray) -> np.ndarray:
    """x Φ(x), with the exact normal distribution function."""
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


PLAIN = {
    "gelu": gelu,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "identity": lambda x: x,
}


def random_tensors(form: Bottleneck | TokenShift, reads: int, writes: int) -> dict[str, torch.Tensor]:
    return {name: torch.randn(shape, generator=DRAW) for name, shape in form.shapes(reads, writes).items()}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_bottleneck_is_its_formula(activation: str) -> None:
    form = Bottleneck(3, activation)  # type: ignore[arg-type]
    tensors, x = random_tensors(form, 5, 5), torch.randn(2, 4, 5, generator=DRAW)
    w = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    hidden = PLAIN[activation](x.double().numpy() @ w["down.weight"].T + w["down.bias"])
    expected = hidden @ w["up.weight"].T + w["up.bias"]
    np.testing.assert_allclose(form.change(tensors, x).numpy(), expected, atol=1e-5)


def test_bottleneck_has_2md_d_m_scalars() -> None:
    shapes = Bottleneck(7).shapes(11, 11)
    assert sum(map(math.prod, shapes.values())) == 2 * 7 * 11 + 11 + 7


def test_bottleneck_starts_near_zero() -> None:
    form = Bottleneck(8, std=1e-3)
    tensors = {k: form.initialise(k, s, DRAW) for k, s in form.shapes(16, 16).items()}
    assert not tensors["down.bias"].any()
    assert not tensors["up.bias"].any()
    assert tensors["down.weight"].any()
    assert tensors["up.weight"].any()
    change = form.change(tensors, torch.randn(3, 4, 16, generator=DRAW))
    assert 0 < change.abs().max() < 1e-3


@pytest.mark.parametrize("std", [1e-7, 1e-2, 1.0])
def test_truncated_normal_is_cut_at_two_deviations(std: float) -> None:
    drawn = truncated_normal((20_000,), std, torch.Generator().manual_seed(1)).double()
    assert drawn.abs().max() <= 2 * std * (1 + 1e-6)
    # of N(0, 1) given |x| < 2: variance 1 - 2·2φ(2)/(2Φ(2) - 1) = 0.7737, deviation 0.8796
    assert drawn.std() == pytest.approx(0.8796 * std, rel=0.02)
    assert abs(drawn.mean()) < 0.03 * std


def test_token_shift_is_its_formula() -> None:
    form = TokenShift()
    tensors, u = random_tensors(form, 7, 5), torch.randn(2, 3, 7, generator=DRAW)
    change = form.change(tensors, u)
    w, c, v = tensors["alpha.weight"][0], tensors["alpha.bias"][0], tensors["vector"]
    for row in range(2):
        for token in range(3):
            alpha = float(w @ u[row, token] + c)
            torch.testing.assert_close(change[row, token], alpha * v)


def test_token_shift_has_d_ff_1_scalars() -> None:
    assert sum(map(math.prod, TokenShift().shapes(13, 5).values())) == 5 + 13 + 1


@pytest.mark.parametrize(("vector", "value"), [("zeros", 0.0), ("ones", 1.0)])
def test_token_shift_starts_as_published(vector: str, value: float) -> None:
    form = TokenShift(vector, std=0.02)  # type: ignore[arg-type]
    assert (form.initialise("vector", (9,), DRAW) == value).all()
    assert not form.initialise("alpha.bias", (1,), DRAW).any()
    weight = form.initialise("alpha.weight", (1, 20_000), torch.Generator().manual_seed(2))
    assert weight.std() == pytest.approx(0.02, rel=0.03)


def test_only_the_mean_free_part_of_the_vector_matters_before_a_norm() -> None:
    """LN(h + α v) = LN(h + α (v − mean v)): v has d − 1 useful directions."""
    form, h = TokenShift(), torch.randn(2, 3, 5, generator=DRAW)
    tensors, u = random_tensors(form, 7, 5), torch.randn(2, 3, 7, generator=DRAW)
    centred = tensors | {"vector": tensors["vector"] - tensors["vector"].mean()}
    with_all, with_centred = h + form.change(tensors, u), h + form.change(centred, u)
    torch.testing.assert_close(layer_norm(with_all, (5,)), layer_norm(with_centred, (5,)), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(with_all, with_centred)


def test_the_same_generator_state_draws_the_same_tensor() -> None:
    draws = [Bottleneck(4).initialise("up.weight", (6, 4), torch.Generator().manual_seed(s)) for s in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
