"""Prediction of the rows of several tasks in packs, each slot with rows and the Delta of one task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.device import to_host
from learners.forward.batches import collate
from learners.forward.forward import logits
from learners.forward.pack_plan import PackedPlan, Shape
from learners.forward.prepared import Prepared, packed, prepared
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit


class Asked(NamedTuple):
    """Rows to answer with a Delta."""

    delta: Delta
    split: EncodedSplit
    plan: PackedPlan


def predict_packed(backbone: Backbone, learner: Learner, asked: Sequence[Asked]) -> list[np.ndarray]:
    """Returns the logits, float32 [n, C], of the rows of each split.

    Slots of equal shape go through the encoder together, K in one pass. Logits depend on the plan of their rows alone,
    and not on what else is asked (tests/learners/test_packed.py). They equal those of
    `learners.training.predict.predict` except for the last bits, because the products have other sizes.

    Args:
        learner: A learner whose Deltas can share a pass (`learners.specification.packable.why_unpacked`).
    """
    found = [np.empty((len(each.split), len(each.delta.tensors["head.bias"])), np.float32) for each in asked]
    deltas = [{name: tensor.to(backbone.device) for name, tensor in each.delta.tensors.items()} for each in asked]
    slots = defaultdict[Shape, list[tuple[int, np.ndarray]]](list)
    for place, each in enumerate(asked):
        for shape, rows in each.plan.slots:
            slots[shape].append((place, rows))
    with torch.inference_mode():
        for shape, of_shape in slots.items():
            stacked: tuple[list[int], Prepared] | None = None
            for begin in range(0, len(of_shape), shape.slots):
                together = of_shape[begin : begin + shape.slots]
                owners = [place for place, _ in together]
                if stacked is None or stacked[0] != owners:  # one task fills several passes
                    empty = [None] * (shape.slots - len(owners))
                    tensors = packed([*(deltas[place] for place in owners), *empty], shape.outputs)
                    stacked = owners, prepared(backbone, tensors, shape.slots)
                batch = _batch(backbone, shape, [(asked[place].split, rows) for place, rows in together])
                answers = to_host(logits(backbone, learner, stacked[1], batch)).reshape(shape.slots, shape.rows, -1)
                for (place, rows), own in zip(together, answers, strict=False):
                    found[place][rows] = own[: len(rows), : found[place].shape[1]]
    return found


def _batch(backbone: Backbone, shape: Shape, slots: Sequence[tuple[EncodedSplit, np.ndarray]]) -> dict[str, Tensor]:
    """Returns the inputs of a pass, [K B, S] each. A slot that is not full repeats its rows, and an empty one has those
    of the first slot."""
    full = [*slots, *[slots[0]] * (shape.slots - len(slots))]
    batches = [collate(backbone, split, np.resize(rows, shape.rows), shape.length) for split, rows in full]
    return {name: torch.cat([each[name] for each in batches]) for name in batches[0]}
