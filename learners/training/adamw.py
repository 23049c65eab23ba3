"""AdamW without `torch.optim.Optimizer`: the constructor of that class imports TorchDynamo, which takes two seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

BETAS = (0.9, 0.999)


class AdamW:
    """AdamW (Loshchilov and Hutter 2019) by the fused kernel of PyTorch. It gives the same bits
    as `torch.optim.AdamW(groups, eps=eps, fused=True)`.

    Moments are bias-corrected, unlike in BERT's optimiser, because this makes short fine-tuning more stable (Mosbach et
    al. 2021, section 5).

    Attributes:
        param_groups: Groups of tensors, as in `torch.optim`: `params`, and the settings `lr` and `weight_decay`.
        moments: Tensor -> its first and second moment, and its number of steps. Empty before its first step.

    Args:
        groups: As `learners.training.optimiser.groups_of` returns them.
        eps: Added to the root of the second moment.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], eps: float) -> None:
        self.param_groups = list(groups)
        self.moments: dict[Tensor, tuple[Tensor, Tensor, Tensor]] = {}
        self.eps = eps

    def zero_grad(self) -> None:
        """Removes all gradients."""
        for group in self.param_groups:
            for tensor in group["params"]:
                tensor.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Changes all tensors that have a gradient, in place."""
        for group in self.param_groups:
            tuned = [tensor for tensor in group["params"] if tensor.grad is not None]
            for tensor in tuned:
                if tensor not in self.moments:
                    steps = torch.zeros((), device=tensor.device)
                    self.moments[tensor] = (torch.zeros_like(tensor), torch.zeros_like(tensor), steps)
            first, second, counts = ([self.moments[tensor][i] for tensor in tuned] for i in range(3))
            adamw(
                tuned,
                [tensor.grad for tensor in tuned if tensor.grad is not None],
                first,
                second,
                [],
                counts,
                fused=True,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=self.eps,
                maximize=False,
            )
