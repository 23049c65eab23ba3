"""Prediction of rows of different tasks in shared batches, each row with the Delta of its task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.device import to_host
from learners.forward.batches import collate, evaluation_plan
from learners.forward.forward import logits
from learners.forward.prepared import packed, prepared
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit, joined

STACKED = 1 << 27  # most bytes of the stacked Deltas of a batch, which are copies


def predict_mixed(
    backbone: Backbone, learner: Learner, deltas: Sequence[Delta], splits: Sequence[EncodedSplit]
) -> list[np.ndarray]:
    """Logits float32 [n, C] of the rows of each split, with the Delta of the same place.

    Rows of all splits together are sorted by length and cut into batches. A batch is a pack with a slot for each row.
    The logits equal those of `learners.training.predict.predict` except for the last bits, because the products have
    other sizes.

    Args:
        learner: A learner whose Deltas can share a pass (`learners.specification.packable.why_unpacked`).
        deltas: Deltas of this learner.
        splits: Rows, for each Delta.
    """
    rows, owners = joined(splits), np.repeat(np.arange(len(splits)), [len(split) for split in splits])
    widths = [len(delta.tensors["head.bias"]) for delta in deltas]
    found = np.empty((len(rows), max(widths)), dtype=np.float32)
    with torch.inference_mode():
        for batch in _batches(rows, deltas):
            stacked = packed([deltas[owner].tensors for owner in owners[batch]], max(widths))
            ready = prepared(backbone, stacked, len(batch))
            found[batch] = to_host(logits(backbone, learner, ready, collate(backbone, rows, batch)))
    ends = np.cumsum([len(split) for split in splits])[:-1]
    return [part[:, :width] for part, width in zip(np.split(found, ends), widths, strict=True)]


def _batches(rows: EncodedSplit, deltas: Sequence[Delta]) -> Iterator[np.ndarray]:
    """Yields the rows of each batch: no more than the stacked Deltas of `STACKED` bytes."""
    largest = max(sum(tensor.nbytes for tensor in delta.tensors.values()) for delta in deltas)
    most = max(1, STACKED // largest)
    for batch in evaluation_plan(rows).batches:
        yield from (batch[begin : begin + most] for begin in range(0, len(batch), most))
