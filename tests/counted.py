"""FLOPs of a batch as PyTorch counts them, for tests of our formulas."""

from __future__ import annotations

import torch

from learners.backbones.backbone import Backbone
from learners.delta.initial import initial_delta
from learners.forms.counter import PytorchCounter
from learners.forward.forward import logits
from learners.forward.frozen_prefix import frozen_states
from learners.specification.learner import Learner
from tests.loaded import encoded

TASK = encoded("colours", classes=3).task
ROWS, LENGTH = 3, 7  # shape of a batch, unless a test gives another


def counted(
    base: Backbone,
    learner: Learner,
    backward: bool,
    shape: tuple[int, int] = (ROWS, LENGTH),
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
) -> int:
    """FLOPs of a forward pass, or of a training step, of a batch of random words."""
    delta = initial_delta(base, learner, TASK, seed=0)
    leaves = {n: t.clone().requires_grad_(backward and n not in frozen) for n, t in delta.tensors.items()}
    ids = torch.randint(5, 20, shape)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    states = frozen_states(base, learner, batch) if above else None
    with torch.set_grad_enabled(backward), PytorchCounter() as counter:
        output = logits(base, learner, leaves, batch, frozen_prefix=states)
        if backward:
            torch.autograd.backward(output.sum())
    return int(counter.found)
