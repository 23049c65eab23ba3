"""Hard-concrete gates: a differentiable L0 penalty (Louizos et al. 2018, section 2.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class HardConcrete:
    """s = σ((log u − log(1−u) + a) / β), z = clip(s (ζ−γ) + γ, 0, 1): one gate z per scalar, with parameter a.

    Attributes:
        beta, gamma, zeta: Temperature β and stretch interval (γ, ζ) of equations 10 and 11.
        start: Mean of the initial values of a.
        noise: Standard deviation of the initial values of a.
        margin: u is drawn uniformly from [margin, 1 − margin].
        bounds: Interval that a is clamped to after every step; None: a is not clamped.
        learning_rate: Constant learning rate of the gates; None: the rate and schedule of the weights.
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
        import torch

        return self.start + self.noise * torch.randn(shape, generator=generator)

    def sample(self, a: Tensor, generator: torch.Generator) -> Tensor:
        """Draws a gate in [0, 1] for each entry of `a`; differentiable in `a` except for gates that are clipped."""
        import torch

        uniform = torch.rand(a.shape, generator=generator).to(a.device) * (1 - 2 * self.margin) + self.margin
        s = torch.sigmoid((torch.logit(uniform) + a) / self.beta)
        return (s * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def deterministic(self, a: Tensor) -> Tensor:
        """Returns the gates used outside training, clip(σ(a) (ζ−γ) + γ, 0, 1) (equation 13); shape of `a`."""
        import torch

        return (torch.sigmoid(a) * (self.zeta - self.gamma) + self.gamma).clamp(0, 1)

    def probability(self, a: Tensor) -> Tensor:
        """Returns P(z ≠ 0) = σ(a − β log(−γ/ζ)) (equation 12); shape of `a`. The sum is the expected L0 norm."""
        import torch

        return torch.sigmoid(a - self.beta * math.log(-self.gamma / self.zeta))


# The author of AdapterBias refers to this setting: code of diff pruning (Guo et al. 2021), run_glue_diffpruning.py.
# That code has a second gate per tensor. It is left out: with one gated tensor per layer it only prunes whole layers.
DIFF_PRUNING = HardConcrete(beta=1.0, gamma=-1.5, zeta=1.5, start=5.0, margin=1e-4, learning_rate=0.1)

# Official code of Louizos et al. 2018, l0_layers.py with droprate_init 0.5: a = log((1−p)/p) + N(0, 0.01²).
LOUIZOS = HardConcrete(
    beta=2 / 3, gamma=-0.1, zeta=1.1, start=0.0, margin=1e-6, noise=0.01, bounds=(math.log(1e-2), math.log(1e2))
)

SETTINGS = {"diff-pruning": DIFF_PRUNING, "louizos": LOUIZOS}
