"""The optimisers of the pretraining: orthogonal steps for the matrices of the layers, AdamW for all else.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; with steps of AdamW's size as by Liu et al. 2025,
"Muon is Scalable for LLM Training") moves a matrix by the nearest orthogonal matrix of its momentum. `torch.optim.Muon`
computes this in bfloat16, which takes twenty times as long on a processor that has float32 alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from pretraining.settings import Settings

MOMENTUM, DECAY = 0.95, 0.01
ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the polynomial that Jordan et al. iterate
ADAMW_SIZE = 0.2  # root mean square of an AdamW step, by which Liu et al. scale


class Muon(torch.optim.Optimizer):
    """Steps along the orthogonalised momentum of matrices (Nesterov momentum, decoupled weight decay)."""

    def __init__(self, matrices: Iterable[Tensor], lr: float) -> None:
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                momentum = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
                size = group["lr"] * ADAMW_SIZE * math.sqrt(max(matrix.shape))
                matrix.mul_(1 - group["lr"] * DECAY).add_(update, alpha=-size)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the nearest orthogonal matrix, by five Newton-Schulz iterations.

    Singular values down to a hundredth of the largest become 0.6 to 1.3.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x.T if tall else x


def optimisers(model: nn.Module, settings: Settings) -> list[torch.optim.Optimizer]:
    """One for the matrices of the encoder's layers, and one for embeddings, vectors and the heads of the objectives."""
    named = list(model.named_parameters())
    matrices = [p for name, p in named if ".layer." in name and p.ndim == 2]
    known = {id(p) for p in matrices}
    others = [p for _, p in named if id(p) not in known]
    return [
        Muon(matrices, settings.learning_rate),
        torch.optim.AdamW(others, lr=settings.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def descend(model: nn.Module, both: Iterable[torch.optim.Optimizer], loss: Tensor) -> None:
    """One step of all optimisers along the gradient of a loss; gradients are clipped to norm 1."""
    model.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimiser in both:
        optimiser.step()
