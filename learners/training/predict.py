"""Prediction: a pure function of (backbone, Delta, data, batch plan)."""

from __future__ import annotations

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.device import to_host
from learners.forward.batches import Plan, collate
from learners.forward.forward import logits
from learners.forward.frozen_prefix import FrozenPrefix
from learners.forward.prepared import prepared
from learners.nobert.predict import text_logits
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit


def predict(
    backbone: Backbone,
    learner: Learner,
    delta: Delta,
    split: EncodedSplit,
    plan: Plan,
    frozen_prefix: FrozenPrefix | None = None,
) -> np.ndarray:
    """Logits float32 [n, C] of all rows of a split, in the order of the split.

    Runs without dropout and draws no random numbers. The same inputs on the same machine give the same bytes.

    Args:
        plan: The batches. Together they must contain each row once. A learner that reads texts computes all rows at
            once.
        frozen_prefix: Stored output of the frozen prefix for this split, to save time. With the evaluation plan it does
            not change a byte of the result. Default: None, compute all layers.
    """
    if learner.text_model is not None:
        return text_logits(learner.text_model, delta.tensors, backbone.tokenizer, split)
    width = len(delta.tensors["head.bias"])
    out = np.empty((len(split), width), dtype=np.float32)
    with torch.inference_mode():
        ready = prepared(backbone, delta.tensors)  # once, not per batch
        for rows in plan.batches:
            batch = collate(backbone, split, rows)
            states = None if frozen_prefix is None else frozen_prefix.of(rows, batch)
            found = logits(backbone, learner, ready, batch, frozen_prefix=states)
            out[rows] = to_host(found)
    return out
