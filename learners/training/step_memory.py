"""The memory that a training step needs. On the device `meta` it is counted on shapes, and nothing is computed."""

from __future__ import annotations

import torch

from learners.backbones.backbone import Backbone
from learners.delta.initial import initial_trainable
from learners.delta.reparametrise import materialize
from learners.forward.forward import logits
from learners.specification.learner import Learner
from tasks.task import Task


def kept_bytes(backbone: Backbone, learner: Learner, rows: int, length: int) -> int:
    """Returns the bytes of what a forward pass keeps for its backward pass: activations and dropout masks, and not the
    weights of the backbone.

    Args:
        rows: Rows B of a batch.
        length: Tokens S of a row.
    """
    task, device = Task("any", "any", "single", labels=("a", "b")), backbone.device
    start = initial_trainable(backbone, learner, task, seed=0)
    trainable = {
        name: each.to(device, copy=True).requires_grad_() for name, each in start.items()
    }  # not the backbone's own
    ids = torch.zeros(rows, length, dtype=torch.int64, device=device)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if backbone.architecture.types > 1:
        batch["token_type_ids"] = torch.zeros_like(ids)
    weights = {each.untyped_storage()._cdata for each in (*backbone.weights.values(), *backbone.encoder.values())}
    kept: dict[int, torch.UntypedStorage] = {}  # holds them, so that no two have one address

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    training = learner.training
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        tensors = materialize(learner, trainable, backbone.architecture.layers)
        found = logits(backbone, learner, tensors, batch, training.head_dropout, dropout=training.dropout)
    assert found.shape == (rows, task.outputs)  # and so the graph lives until here
    return sum(each.nbytes() for address, each in kept.items() if address not in weights)
