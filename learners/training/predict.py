"""Prediction as a pure function of (backbone, Delta, data, plan)."""

from __future__ import annotations

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.forward.batches import Plan, collate
from learners.forward.forward import dropout_active, in_dtype, logits
from learners.forward.frozen_prefix import FrozenPrefix
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit

EVALUATION_FORMAT = 3  # enters every key: raise it whenever equal inputs would give other logits


def predict(
    backbone: Backbone,
    learner: Learner,
    delta: Delta,
    split: EncodedSplit,
    plan: Plan,
    frozen_prefix: FrozenPrefix | None = None,
) -> np.ndarray:
    """Logits float32 [n, C], in the split's row order.

    Runs without dropout and draws no random number; equal inputs on one machine give equal bytes.

    Args:
        frozen_prefix: What `open_frozen_prefix` keeps of the split, which need not be computed again; with it, and the
            evaluation plan, come the same bytes as without.
    """
    width = len(delta.tensors["head.bias"])
    out = np.empty((len(split), width), dtype=np.float32)
    with torch.inference_mode(), dropout_active(backbone, False):
        tensors = in_dtype(backbone, delta.tensors)  # not with every batch
        for rows in plan.batches:
            batch = collate(backbone, split, rows)
            states = None if frozen_prefix is None else frozen_prefix.of(rows, batch)
            out[rows] = logits(backbone, learner, tensors, batch, frozen_prefix=states).numpy()
    return out
