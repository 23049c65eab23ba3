"""The losses of a batch. All of them ask about single tokens, but for whether a second text belongs to the first."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from pretraining.batches import Batch
from pretraining.model import Pretraining

WEIGHTS = {"words": 1.0, "wrong": 2.0, "unlike": 2.0, "belongs": 0.5}


def loss_of(model: Pretraining, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the losses of a batch, and the loss of each objective by name."""
    middle, last, pooled = model.encode(batch.inputs, batch.types)
    parts = {"words": cross_entropy(model.words(last[batch.hidden]), batch.ids[batch.hidden])}
    for place, name in enumerate(("wrong", "unlike")):
        judged = batch.judged == place + 1
        if judged.any():
            scores = model.wrong(middle[judged])[:, place]
            parts[name] = binary_cross_entropy_with_logits(scores, batch.wrong[judged].float())
    if (asked := batch.belongs >= 0).any():
        parts["belongs"] = cross_entropy(model.belongs(pooled[asked]), batch.belongs[asked])
    total = sum((WEIGHTS[name] * part for name, part in parts.items()), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}
