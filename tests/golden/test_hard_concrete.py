"""Hard-concrete gates in the two published settings, at values worked out by hand.

Louizos et al. 2018 (β 2/3, γ −0.1, ζ 1.1): P(z≠0) = σ(−β log(0.1/1.1)) at a = 0, P(z=1) the same by symmetry from
above; the deterministic gate is 0 iff 1.2 σ(a) ≤ 0.1. Guo et al. 2021 (β 1, γ −1.5, ζ 1.5): 3 σ − 1.5 is 0 at a = 0
and 1 at σ = 5/6, a = log 5.
"""

from __future__ import annotations

import math

import pytest
import torch

from learners.specification.gates import SETTINGS

# setting -> P(z≠0), P(z=1), deterministic gate, all at a = 0; then the largest a of gate 0, the smallest a of gate 1
GOLDEN = {
    "louizos": (0.8318, 0.1682, 0.5, -2.398, 2.398),
    "diff-pruning": (0.5, 1 / 6, 0.0, 0.0, math.log(5)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_at_zero(name: str) -> None:
    gates, (nonzero, one, gate, _, _) = SETTINGS[name], GOLDEN[name]
    assert gates.probability(torch.zeros(())).item() == pytest.approx(nonzero, abs=5e-5)
    assert gates.deterministic(torch.zeros(())).item() == pytest.approx(gate, abs=1e-7)
    drawn = gates.sample(torch.zeros(1_000_000), torch.Generator().manual_seed(0))
    assert (drawn > 0).double().mean().item() == pytest.approx(nonzero, abs=2e-3)  # four deviations of a million draws
    assert (drawn == 1).double().mean().item() == pytest.approx(one, abs=2e-3)


@pytest.mark.parametrize("name", GOLDEN)
def test_thresholds(name: str) -> None:
    gates, (*_, zero, one) = SETTINGS[name], GOLDEN[name]
    a = torch.tensor([zero - 1e-3, zero + 1e-3, one - 1e-3, one + 1e-3], dtype=torch.float64)
    closed, ajar, nearly, opened = gates.deterministic(a).tolist()
    assert closed == 0.0 < ajar
    assert nearly < 1.0 == opened


def test_exact_zero_of_diff_pruning() -> None:
    assert SETTINGS["diff-pruning"].deterministic(torch.tensor([0.0, -1.0])).tolist() == [0.0, 0.0]


def test_start_of_diff_pruning_is_nearly_open() -> None:
    """a = 5: P(z≠0) = σ(5) = 0.9933, P(z=1) = σ(5 − log 5) = 0.967."""
    gates = SETTINGS["diff-pruning"]
    assert gates.probability(torch.tensor(gates.start)).item() == pytest.approx(0.9933, abs=5e-5)
    drawn = gates.sample(torch.full((200_000,), gates.start), torch.Generator().manual_seed(0))
    assert (drawn == 1).double().mean().item() == pytest.approx(0.967, abs=2e-3)
