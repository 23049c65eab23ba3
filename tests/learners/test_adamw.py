"""Our AdamW: the bits of PyTorch's, without the import of TorchDynamo."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from learners.training.adamw import AdamW
from tests.fresh import modules_after

SHAPES = [(3, 5), (7,), (64, 33), (1,), (2, 3, 4)]


def groups(tensors: list[Tensor]) -> list[dict[str, Any]]:
    return [
        {"params": tensors[:3], "lr": 1e-2, "weight_decay": 0.1},
        {"params": tensors[3:], "lr": 3e-3, "weight_decay": 0.0},
    ]


@pytest.mark.parametrize("missing", [None, 0, 3])
def test_it_has_the_bits_of_pytorch(missing: int | None) -> None:
    """Over 20 steps with a falling rate. One tensor has no gradient in some steps, as after pruning."""
    drawn = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=drawn) for shape in SHAPES]
    ours, theirs = ([tensor.clone().requires_grad_() for tensor in start] for _ in range(2))
    mine = AdamW(groups(ours), eps=1e-6)
    reference = torch.optim.AdamW(groups(theirs), eps=1e-6, fused=True)
    for step in range(20):
        for optimiser in (mine, reference):
            optimiser.zero_grad()
            for group, rate in zip(optimiser.param_groups, (1e-2, 3e-3), strict=True):
                group["lr"] = rate * (1 - step / 20)
        for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            gradient = torch.randn(a.shape, generator=drawn) * 10.0 ** (index - 2)
            if index != missing or step % 3:
                a.grad, b.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), step
    assert not any(torch.equal(a, b) for a, b in zip(ours, start, strict=True))


def test_a_step_changes_nothing_without_gradients() -> None:
    tensor = torch.ones(3, requires_grad=True)
    optimiser = AdamW([{"params": [tensor], "lr": 1.0, "weight_decay": 0.5}], eps=1e-6)
    optimiser.step()
    assert torch.equal(tensor, torch.ones(3))
    assert not optimiser.moments


def test_a_step_does_not_import_torch_dynamo() -> None:
    imported = modules_after(
        "import torch\nfrom learners.training.adamw import AdamW\n"
        "tensor = torch.ones(3, requires_grad=True)\ntensor.sum().backward()\n"
        "AdamW([{'params': [tensor], 'lr': 1.0, 'weight_decay': 0.5}], eps=1e-6).step()"
    )
    assert "torch" in imported
    assert "torch._dynamo" not in imported
