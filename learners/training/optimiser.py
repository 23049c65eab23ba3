"""The optimiser of our training loop: AdamW, its parameter groups and its learning rate schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from learners.specification.learner import Learner, Training
from learners.training.adamw import AdamW

EPSILON = 1e-6  # BERT's


def schedule(step: int, steps: int, warmup: float, decay: bool = True) -> float:
    """Learning rate at a step, as a fraction of the peak rate: linear warm-up, then linear decay to 0, without a jump.

    This is the schedule in the paper of Houlsby et al. (2019, section 3.1). Their released code starts the decay at
    step 0, so the rate drops from the peak to 0.9 of it at the end of warm-up.

    Args:
        step: Step, from 0.
        steps: Number of all steps.
        warmup: Fraction of the steps that are warm-up. The first step has the full rate if it is 0.
        decay: Whether the rate decays; else it stays at the peak, as in the code of AdapterBias. Default: yes.
    """
    rising = max(1, round(steps * warmup))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (steps - step) / max(1, steps - rising)) if decay else 1.0


def groups_of(
    training: Training,
    trainable: Mapping[str, Tensor],
    gates: Mapping[str, Tensor],
    peak: float,
    gate_rate: float | None,
) -> list[dict[str, Any]]:
    """Returns the parameter groups of an optimiser, with weight decay on the tensors that `decays` names.

    Args:
        trainable: Trainable tensors by name.
        gates: Gate parameters by name. They have no weight decay.
        peak: Peak learning rate.
        gate_rate: Constant learning rate of the gates. None: the scheduled rate.
    """
    decayed = [leaf for name, leaf in trainable.items() if decays(name, leaf)]
    plain = [leaf for name, leaf in trainable.items() if not decays(name, leaf)]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": training.weight_decay, "peak": peak, "constant": False},
        {"params": plain, "weight_decay": 0.0, "peak": peak, "constant": False},
        {
            "params": list(gates.values()),
            "weight_decay": 0.0,
            "peak": gate_rate or peak,
            "constant": gate_rate is not None,
        },
    ]
    return [{"lr": peak, **group} for group in groups if group["params"]]


def decays(name: str, leaf: Tensor) -> bool:
    """Whether weight decay applies to a tensor.

    It does not apply to biases and norms, as in BERT's optimiser. It also does not apply to factors that start at 1
    (IA3) or scale a dimension (VeRA), because it would pull them to 0. It applies to matrices and to the vector v of a
    shift, as in the code of AdapterBias.
    """
    if name.endswith("bias") or "norm" in name.lower() or "ia3_" in name:  # in peft, IA3 factors are matrices
        return False
    return leaf.dim() > 1 or name.endswith(".vector")


def set_rate(optimiser: AdamW | torch.optim.Optimizer, share: float) -> None:
    """Set the learning rate of each group to `share` of its peak. Groups with a constant rate do not change."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * (1.0 if group["constant"] else share)


def clip_gradients(parameters: Iterable[Tensor], largest: float) -> None:
    """Scale the gradients in place so that their global norm is at most `largest`. 0: leave them as they are."""
    if largest:
        nn.utils.clip_grad_norm_([leaf for leaf in parameters if leaf.grad is not None], largest)


def clamp_gates(learner: Learner, gates: Mapping[str, Tensor]) -> None:
    """Clamp gate parameters to the published bounds, in place, if the learner's gates have bounds."""
    if learner.gates is not None and learner.gates.bounds is not None:
        with torch.no_grad():
            for a in gates.values():
                a.clamp_(*learner.gates.bounds)
