"""Divergence: detect that a fit has NaN or infinite numbers, from which it cannot recover."""

from __future__ import annotations

import numpy as np

from learners.backbones.weights import is_finite
from learners.delta.delta import Delta


class Diverged(Exception):
    """The loss, a validation logit or a tensor of the Delta is NaN or infinite.

    Attributes:
        step: Optimiser step, from 1, at or after which this was found. 0 if the learner does not train.
        flops: FLOPs of all matrix products of the fit until then. Default: 0.
        seconds: Duration of the fit until then, if it was in a pack; else 0.
    """

    def __init__(self, message: str, step: int, flops: float = 0.0) -> None:
        super().__init__(message)
        self.step, self.flops, self.seconds = step, flops, 0.0


def not_finite(delta: Delta, logits: np.ndarray, loss: float) -> str | None:
    """Look for NaN and infinite numbers after an epoch. Returns one sentence about the first find, or None.

    Finite logits are not enough: a weight that no validation row uses may be NaN, and the loss may overflow.

    Args:
        delta: The Delta after the epoch.
        logits: Validation logits, [n, C].
        loss: Validation loss.
    """
    if not np.isfinite(logits).all():
        return "a logit of a validation row is not finite"
    if not np.isfinite(loss):
        return f"the validation loss is {loss}"
    broken = next((name for name, tensor in delta.tensors.items() if not is_finite(tensor)), None)
    return None if broken is None else f"tensor {broken} is not finite"
