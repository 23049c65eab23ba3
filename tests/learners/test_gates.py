"""Hard-concrete gates: ranges, gradients, and agreement of what is sampled with what is computed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.specification.gates import SETTINGS, HardConcrete

both = pytest.mark.parametrize("gates", SETTINGS.values(), ids=list(SETTINGS))
levels = st.floats(-6, 6)


@both
@given(a=levels, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_samples_are_gates_with_the_computed_probability(gates: HardConcrete, a: float, seed: int) -> None:
    n = 20_000
    drawn = gates.sample(torch.full((n,), a), torch.Generator().manual_seed(seed))
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    p = gates.probability(torch.tensor(a)).item()
    deviation = (p * (1 - p) / n) ** 0.5
    # the margin keeps u away from 0 and 1, so the tails are missing that much
    assert (drawn > 0).double().mean().item() == pytest.approx(p, abs=5 * deviation + 2 * gates.margin)


@both
@given(a=levels, more=st.floats(1e-3, 5))
def test_a_larger_parameter_opens_the_gate(gates: HardConcrete, a: float, more: float) -> None:
    low, high = torch.tensor([a], dtype=torch.float64), torch.tensor([a + more], dtype=torch.float64)
    assert gates.probability(high) > gates.probability(low)
    assert gates.deterministic(high) >= gates.deterministic(low)


@both
@given(a=levels, penalty=st.floats(1e-6, 1))
def test_gradient_of_the_penalty(gates: HardConcrete, a: float, penalty: float) -> None:
    """d/da λ P(z≠0) = λ σ (1 − σ), σ the probability itself."""
    leaf = torch.tensor([a], dtype=torch.float64, requires_grad=True)
    probability = gates.probability(leaf)
    (gradient,) = torch.autograd.grad((penalty * probability).sum(), leaf)
    p = probability.item()
    assert gradient.item() == pytest.approx(penalty * p * (1 - p), rel=1e-9)


@both
def test_a_sample_passes_a_gradient_where_it_is_not_clipped(gates: HardConcrete) -> None:
    a = torch.zeros(1000, requires_grad=True)
    drawn = gates.sample(a, torch.Generator().manual_seed(0))
    torch.autograd.backward(drawn.sum())
    assert a.grad is not None
    inside = (drawn > 0) & (drawn < 1)
    assert inside.any()
    assert (~inside).any()
    assert (a.grad[inside] > 0).all()
    assert (a.grad[~inside] == 0).all()


@both
def test_noise_comes_from_the_generator_alone(gates: HardConcrete) -> None:
    a = torch.zeros(50)
    torch.manual_seed(0)
    first = gates.sample(a, torch.Generator().manual_seed(5))
    before = torch.get_rng_state()
    second = gates.sample(a, torch.Generator().manual_seed(5))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(first, gates.sample(a, torch.Generator().manual_seed(6)))


def test_published_starts() -> None:
    """Diff pruning starts every a at 5; Louizos et al. at 0 with noise of 0.01, inside bounds of ± log 100."""
    pruning, louizos = (SETTINGS[name] for name in ("diff-pruning", "louizos"))
    assert (pruning.initialise((100,), torch.Generator()) == 5).all()
    drawn = louizos.initialise((20_000,), torch.Generator().manual_seed(0))
    assert drawn.mean() == pytest.approx(0, abs=1e-3)
    assert drawn.std() == pytest.approx(0.01, rel=0.03)
    assert pruning.bounds is None
    assert louizos.bounds == pytest.approx((-4.60517, 4.60517))
