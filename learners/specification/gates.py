"""Hard-concrete gates: a differentiable L0 penalty (Louizos et al. 2018, section 2.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HardConcrete:
    """s = σ((log u − log(1−u) + a) / β), z = clip(s (ζ−γ) + γ, 0, 1), one gate z for each scalar.

    Attributes:
        beta, gamma, zeta: Temperature and stretch interval of equations 10 and 11.
        start: First value of every a.
        noise: Standard deviation around `start`.
        margin: u is drawn from [margin, 1 − margin].
        bounds: a is clamped to these after every step, or None.
        learning_rate: Constant rate of the gates; None shares rate and schedule with the weights.
    """

    beta: float
    gamma: float
    zeta: float
    start: float
    margin: float
    noise: float = 0.0
    bounds: tuple[float, float] | None = None
    learning_rate: float | None = None

    def initialise(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return self.start + self.noise * torch.randn(shape, generator=generator)

    def sample(self, a: Tensor, generator: torch.Generator) -> Tensor:
        """A random gate in [0, 1] for each entry of `a`, differentiable in `a` where it is not clipped."""
        uniform = torch.rand(a.shape, generator=generator) * (1 - 2 * self.margin) + self.margin
        s = torch.sigmoid((torch.logit(uniform) + a) / self.beta)
        return (s * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def deterministic(self, a: Tensor) -> Tensor:
        """The gate used outside training, clip(σ(a) (ζ−γ) + γ, 0, 1) (equation 13)."""
        return (torch.sigmoid(a) * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def probability(self, a: Tensor) -> Tensor:
        """P(z ≠ 0) = σ(a − β log(−γ/ζ)) (equation 12); its sum is the expected L0 norm."""
        return torch.sigmoid(a - self.beta * math.log(-self.gamma / self.zeta))


# The setting AdapterBias points to: code of diff pruning (Guo et al. 2021), run_glue_diffpruning.py. Its second,
# per-tensor gate is left out: with one gated tensor a layer it would only prune whole layers.
DIFF_PRUNING = HardConcrete(beta=1.0, gamma=-1.5, zeta=1.5, start=5.0, margin=1e-4, learning_rate=0.1)

# Official code of Louizos et al. 2018, l0_layers.py with droprate_init 0.5: a = log((1−p)/p) + N(0, 0.01²).
LOUIZOS = HardConcrete(
    beta=2 / 3, gamma=-0.1, zeta=1.1, start=0.0, margin=1e-6, noise=0.01, bounds=(math.log(1e-2), math.log(1e2))
)

SETTINGS = {"diff-pruning": DIFF_PRUNING, "louizos": LOUIZOS}
