"""Divergence: a fit whose numbers are no longer finite, which nothing can be learned from."""

from __future__ import annotations

import numpy as np

from learners.backbones.weights import is_finite
from learners.delta.delta import Delta


class Diverged(Exception):
    """The loss, a logit of a validation row or a tensor of the Delta is no longer a finite number.

    Attributes:
        step: Step of the optimiser, from 1, at or after which it showed; 0 where nothing is trained.
        flops: Of the matrix products until then.
    """

    def __init__(self, message: str, step: int, flops: float = 0.0) -> None:
        super().__init__(message)
        self.step, self.flops = step, flops


def not_finite(delta: Delta, logits: np.ndarray, loss: float) -> str | None:
    """What of an epoch is not finite: a validation logit [n, C], their loss, or a tensor by name; None where all is.

    Finite logits are not enough: a weight that no validation row reads may be NaN, and a loss may overflow.
    """
    if not np.isfinite(logits).all():
        return "a logit of a validation row is not finite"
    if not np.isfinite(loss):
        return f"the validation loss is {loss}"
    broken = next((name for name, tensor in delta.tensors.items() if not is_finite(tensor)), None)
    return None if broken is None else f"tensor {broken} is not finite"
