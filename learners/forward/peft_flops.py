"""FLOPs of a method of peft: its products are in its own modules, so PyTorch counts them on small batches."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.delta.initial import initial_delta
from learners.delta.peft_modules import injected_model
from learners.forms.counter import PytorchCounter
from learners.forward.forward import logits
from learners.forward.polynomial import fitted
from learners.specification.learner import Learner
from tasks.task import Task

Key = tuple[Learner, bool, frozenset[str]]
# A cache, as a stream needs the same counts for each task. Weak keys: it must not keep a backbone in memory.
_COUNTED: WeakKeyDictionary[Backbone, dict[Key, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def peft_coefficients(
    backbone: Backbone, learner: Learner, backward: bool, frozen: frozenset[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients as `learners.forward.flops.coefficients` returns them, for a method of peft."""
    cache = _COUNTED.setdefault(backbone, {})
    key = learner, backward, frozen
    if key not in cache:
        injected_model(backbone, learner.peft)  # made now: making it tries a forward pass, which is not to be counted
        cache[key] = fitted(lambda rows, length, outputs: _counted(backbone, (rows, length), outputs, *key))
    return cache[key]


def _counted(
    backbone: Backbone,
    shape: tuple[int, int],
    outputs: int,
    learner: Learner,
    backward: bool,
    frozen: frozenset[str],
) -> int:
    task = Task("flops", "", "single", labels=tuple(str(i) for i in range(outputs)))
    delta = initial_delta(backbone, learner, task, seed=0)
    trainable = {
        name: tensor.clone().requires_grad_(backward and name not in frozen) for name, tensor in delta.tensors.items()
    }
    ids = torch.full(shape, (backbone.pad_id + 1) % backbone.architecture.vocabulary, device=backbone.device)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.set_grad_enabled(backward), PytorchCounter() as counter:
        output = logits(backbone, learner, trainable, batch)
        if backward:
            torch.autograd.backward(output.sum())
    return int(counter.found)
