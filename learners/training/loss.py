"""The loss of a task, and the scale of its targets."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from learners.device import to_device
from tasks.encoded import EncodedTask


def task_loss(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits [B, C], or mean squared error of [B, 1] for a real-valued target [B]."""
    if target.is_floating_point():
        return F.mse_loss(output.squeeze(1), target.to(output.dtype))
    return F.cross_entropy(output, target)


def validation_loss(output: np.ndarray, target: np.ndarray) -> float:
    """`task_loss` of all validation rows at once: logits [n, C], target [n]."""
    return task_loss(to_device(output), to_device(np.array(target))).item()  # torch needs a writable copy


def target_scale(data: EncodedTask) -> tuple[float, float]:
    """Mean and standard deviation of the training targets of a regression; (0, 1) for classification.

    A regression trains on standardised targets, and `learners.training.fit.to_delta` scales its head back. The model
    can learn the same functions. But the first steps need not move a head near zero to the mean (2.7 of 5 on STS-B).
    """
    if data.task.kind != "regression":
        return 0.0, 1.0
    target = np.asarray(data.train.target, dtype=np.float64)
    return float(target.mean()), float(target.std()) or 1.0
