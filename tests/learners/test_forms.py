"""Functional forms that read one token at a time, against their formulas in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import layer_norm

from learners.forms import ACTIVATIONS, Bottleneck, Form, LowRank, Reading, Rescale, TokenShift, truncated_normal
from learners.forms.form import kaiming_uniform

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


def count(form: Form, reads: int, writes: int) -> int:
    return sum(map(math.prod, form.shapes(reads, writes).values()))


def random_tensors(form: Form, reads: int, writes: int) -> dict[str, torch.Tensor]:
    return {name: torch.randn(shape, generator=DRAW) for name, shape in form.shapes(reads, writes).items()}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_bottleneck_is_its_formula(activation: str) -> None:
    form = Bottleneck(3, activation)  # type: ignore[arg-type]
    tensors, x = random_tensors(form, 5, 5), torch.randn(2, 4, 5, generator=DRAW)
    w = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    hidden = PLAIN[activation](x.double().numpy() @ w["down.weight"].T + w["down.bias"])
    expected = hidden @ w["up.weight"].T + w["up.bias"]
    np.testing.assert_allclose(form.change(tensors, Reading(x)).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("norm", ["none", "input", "bottleneck"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_deeper_bottleneck_is_its_formula(depth: int, norm: str) -> None:
    """Our definition of what Houlsby et al. (section 3.6) tried: m×m layers between, a norm of x or of x W₁ + b₁."""
    form = Bottleneck(3, "tanh", depth=depth, norm=norm)  # type: ignore[arg-type]
    tensors, x = random_tensors(form, 5, 4), torch.randn(2, 6, 5, generator=DRAW)
    w, h = {name: tensor.double().numpy() for name, tensor in tensors.items()}, x.double().numpy()

    def normed(x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * w["norm.weight"] + w["norm.bias"]

    h = (normed(h) if norm == "input" else h) @ w["down.weight"].T + w["down.bias"]
    h = np.tanh(normed(h) if norm == "bottleneck" else h)
    for k in range(1, depth - 1):
        h = np.tanh(h @ w[f"middle{k}.weight"].T + w[f"middle{k}.bias"])
    expected = h @ w["up.weight"].T + w["up.bias"]
    np.testing.assert_allclose(form.change(tensors, Reading(x)).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("norm", "more"), [("none", 0), ("input", 2 * 11), ("bottleneck", 2 * 7)])
@pytest.mark.parametrize("depth", [2, 3, 8])
def test_bottleneck_has_2md_d_m_scalars_and_what_it_has_inside(depth: int, norm: str, more: int) -> None:
    m, d = 7, 11
    form = Bottleneck(m, depth=depth, norm=norm)  # type: ignore[arg-type]
    assert count(form, d, d) == 2 * m * d + d + m + (depth - 2) * (m * m + m) + more


def test_bottleneck_starts_near_zero() -> None:
    form = Bottleneck(8, std=1e-3)
    tensors = {k: form.initialise(k, s, DRAW) for k, s in form.shapes(16, 16).items()}
    assert not tensors["down.bias"].any()
    assert not tensors["up.bias"].any()
    assert tensors["down.weight"].any()
    assert tensors["up.weight"].any()
    change = form.change(tensors, Reading(torch.randn(3, 4, 16, generator=DRAW)))
    assert 0 < change.abs().max() < 1e-3


def test_the_start_of_lora_leaves_a_bottleneck_at_zero() -> None:
    """He et al.'s code: the matrix down as `torch.nn.Linear` draws it, the matrix up zero."""
    form = Bottleneck(8, init="lora")
    tensors = {k: form.initialise(k, s, DRAW) for k, s in form.shapes(16, 16).items()}
    assert not any(tensors[name].any() for name in ("down.bias", "up.weight", "up.bias"))
    assert 0.9 / 4 < tensors["down.weight"].abs().max() <= 1 / 4
    assert not form.change(tensors, Reading(torch.randn(3, 4, 16, generator=DRAW))).any()


def test_a_norm_inside_starts_as_plain_standardisation() -> None:
    form = Bottleneck(8, norm="input")
    assert (form.initialise("norm.weight", (16,), DRAW) == 1).all()
    assert not form.initialise("norm.bias", (16,), DRAW).any()


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
    change = form.change(tensors, Reading(u))
    w, c, v = tensors["alpha.weight"][0], tensors["alpha.bias"][0], tensors["vector"]
    for row in range(2):
        for token in range(3):
            alpha = float(w @ u[row, token] + c)
            torch.testing.assert_close(change[row, token], alpha * v)


def test_token_shift_has_d_ff_1_scalars() -> None:
    assert count(TokenShift(), 13, 5) == 5 + 13 + 1


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
    with_all, with_centred = h + form.change(tensors, Reading(u)), h + form.change(centred, Reading(u))
    torch.testing.assert_close(layer_norm(with_all, (5,)), layer_norm(with_centred, (5,)), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(with_all, with_centred)


def test_the_same_generator_state_draws_the_same_tensor() -> None:
    draws = [Bottleneck(4).initialise("up.weight", (6, 4), torch.Generator().manual_seed(s)) for s in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


# ---- low rank


def test_low_rank_is_its_formula() -> None:
    form = LowRank(3)
    tensors, x = random_tensors(form, 7, 5), torch.randn(2, 4, 7, generator=DRAW)
    a, b = (tensors[name].double().numpy() for name in "AB")
    np.testing.assert_allclose(form.change(tensors, Reading(x)).numpy(), x.double().numpy() @ (b @ a).T, atol=1e-5)
    assert np.linalg.matrix_rank(b @ a) == 3


def test_low_rank_has_r_times_both_widths() -> None:
    assert count(LowRank(3), 7, 5) == 3 * (7 + 5)


def test_low_rank_starts_at_zero() -> None:
    form = LowRank(4)
    assert not form.initialise("B", (5, 4), DRAW).any()
    assert form.initialise("A", (4, 7), DRAW).any()


def test_kaiming_uniform_is_the_start_of_a_linear_layer() -> None:
    """Uniform in ±1/√(columns), as `torch.nn.Linear` has it: of variance bound²/3."""
    drawn, bound = kaiming_uniform((400, 25), torch.Generator().manual_seed(4)), 1 / 5
    assert 0.999 * bound < drawn.abs().max() <= bound
    assert drawn.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        assert torch.equal(torch.nn.Linear(25, 400).weight, drawn)


# ---- rescaling


def test_rescale_leaves_the_product_with_its_factors() -> None:
    """h + Δh = h ⊙ l."""
    form, h = Rescale(), torch.randn(2, 3, 5, generator=DRAW)
    tensors = random_tensors(form, 5, 5)
    expected = h.double().numpy() * tensors["factor"].double().numpy()
    np.testing.assert_allclose((h + form.change(tensors, Reading(h))).numpy(), expected, atol=1e-6)
    assert count(form, 5, 5) == 5


def test_rescale_starts_at_one() -> None:
    start = {"factor": Rescale().initialise("factor", (5,), DRAW)}
    assert (start["factor"] == 1).all()
    assert not Rescale().change(start, Reading(torch.randn(2, 3, 5, generator=DRAW))).any()
