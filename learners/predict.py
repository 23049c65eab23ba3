"""Prediction as a pure function of (backbone, Delta, data, plan)."""

from __future__ import annotations

import numpy as np
import torch

from learners.backbone import Backbone
from learners.batches import Plan, collate
from learners.delta import Delta
from learners.learner import Learner
from learners.modify import dropout_active, logits
from tasks.encoded import EncodedSplit


def predict(backbone: Backbone, learner: Learner, delta: Delta, split: EncodedSplit, plan: Plan) -> np.ndarray:
    """Logits float32 [n, C], in the split's row order.

    Runs without dropout and draws no random number; equal inputs on one machine give equal bytes.
    """
    width = len(delta.tensors["head.bias"])
    out = np.empty((len(split), width), dtype=np.float32)
    with torch.inference_mode(), dropout_active(backbone, False):
        for rows in plan.batches:
            out[rows] = logits(backbone, learner, delta.tensors, collate(backbone, split, rows)).numpy()
    return out
