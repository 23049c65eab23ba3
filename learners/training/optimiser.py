"""The optimiser of the one training loop: AdamW, its groups, and the schedule of its rates."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.specification.learner import Learner, Training


def schedule(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at `step` (from 0): linear warm-up, then linear to 0, without a jump between.

    Houlsby et al.'s released code decays from step 0 and drops from the peak to 0.9 of it when warm-up ends; their
    paper (section 3.1) describes what is done here.
    """
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (steps - step) / max(1, steps - rising))


def optimiser_of(
    training: Training,
    trainable: Mapping[str, Tensor],
    gates: Mapping[str, Tensor],
    peak: float,
    gate_rate: float | None,
) -> torch.optim.AdamW:
    """AdamW with decay on matrices alone; gates undecayed, at their own constant rate where they have one.

    Moments are bias-corrected, which BERT's optimiser left out: with it short fine-tuning is steadier (Mosbach et al.
    2021, section 5). Epsilon is BERT's.

    A shift vector is decayed as a matrix is: the AdapterBias code decays v, and norms and biases are told by name.
    """
    decayed = [leaf for name, leaf in trainable.items() if decays(name, leaf)]
    plain = [leaf for name, leaf in trainable.items() if not decays(name, leaf)]
    groups = [
        {"params": decayed, "weight_decay": training.weight_decay, "peak": peak, "constant": False},
        {"params": plain, "weight_decay": 0.0, "peak": peak, "constant": False},
        {
            "params": list(gates.values()),
            "weight_decay": 0.0,
            "peak": gate_rate or peak,
            "constant": gate_rate is not None,
        },
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=peak, eps=1e-6, fused=True)


def decays(name: str, leaf: Tensor) -> bool:
    """Whether weight decay applies: not to biases and norms (BERT's optimiser), nor to factors that begin at 1 (IA3) or
    scale a dimension (VeRA), which decay would draw to 0."""
    if name.endswith("bias") or "norm" in name.lower() or "ia3_" in name:  # peft keeps these as matrices of one column
        return False
    return leaf.dim() > 1 or name.endswith(".vector")


def set_rate(optimiser: torch.optim.Optimizer, share: float) -> None:
    """Set each group's rate to its share of the peak; constant groups keep theirs."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (1.0 if group["constant"] else share)


def clamp_gates(learner: Learner, gates: Mapping[str, Tensor]) -> None:
    """Keep gate parameters inside the published bounds, where the setting has any."""
    if learner.gates is not None and learner.gates.bounds is not None:
        with torch.no_grad():
            for a in gates.values():
                a.clamp_(*learner.gates.bounds)
