"""The frozen prefix: the first layers of the encoder, if a learner changes nothing in them or before them.

Their output is the same in each epoch and for each Delta of the learner. So it is computed once, in the batches of the
evaluation plan and without dropout, and stored. The frozen prefix is then a fixed feature extractor (Devlin et al.
2019, section 5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.fingerprint import tensor_digest
from learners.device import to_device
from learners.forward.batches import collate, evaluation_plan
from learners.forward.forward import STATES, Batch, pooled
from learners.forward.frozen_layers import frozen_layers
from learners.forward.frozen_size import is_stored, stored_shape
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit


@dataclass(frozen=True, eq=False)
class FrozenPrefix:
    """The output of the frozen prefix for the rows of one split.

    Attributes:
        layers: Number of layers in the frozen prefix.
        kept: Stored states of all tokens [tokens, d], in the order of the split. If the frozen prefix is the whole
            encoder, pooled outputs [n, k d]. None if they are too large to store; they are then computed per batch.
    """

    backbone: Backbone
    learner: Learner
    split: EncodedSplit
    layers: int
    kept: Tensor | None

    @property
    def size(self) -> int:
        """Size of the stored states in bytes."""
        return 0 if self.kept is None else self.kept.nbytes

    @property
    def digest(self) -> str:
        """SHA-256 of the stored states; "" if none are stored."""
        return "" if self.kept is None else tensor_digest("below", self.kept)

    def of(self, rows: np.ndarray, batch: Batch) -> Tensor:
        """States [B, S, d] of the rows of a batch, zeros for padding; or their pooled outputs [B, k d].

        Args:
            rows: Indices of the rows in the split, [B].
            batch: Inputs of these rows, as `collate` gives them.
        """
        if self.kept is None:
            return frozen_states(self.backbone, self.learner, batch)
        if self.layers == self.backbone.architecture.layers:
            return self.kept[to_device(rows, self.kept.device)]
        padded = self.kept.new_zeros((*batch["input_ids"].shape, self.kept.shape[1]))
        for states, start, stop in zip(padded, self.split.offsets[rows], self.split.offsets[rows + 1], strict=True):
            states[: stop - start] = self.kept[start:stop]
        return padded


def open_frozen_prefix(backbone: Backbone, learner: Learner, split: EncodedSplit) -> FrozenPrefix | None:
    """Compute and store the output of the frozen prefix for a split. None if the learner has no frozen prefix."""
    layers = frozen_layers(learner, backbone.architecture)
    if layers == 0:
        return None
    if not is_stored(backbone.architecture, learner, split, backbone.dtype.itemsize):
        return FrozenPrefix(backbone, learner, split, layers, None)
    kept = torch.empty(
        stored_shape(backbone.architecture, learner, split), dtype=backbone.dtype, device=backbone.device
    )
    for rows in evaluation_plan(split).batches:
        states = frozen_states(backbone, learner, collate(backbone, split, rows))
        if layers == backbone.architecture.layers:
            kept[to_device(rows, kept.device)] = states
            continue
        for own, start, stop in zip(states, split.offsets[rows], split.offsets[rows + 1], strict=True):
            kept[start:stop] = own[: stop - start]
    return FrozenPrefix(backbone, learner, split, layers, kept)


def frozen_states(backbone: Backbone, learner: Learner, batch: Batch) -> Tensor:
    """Output states [B, S, d] of the frozen prefix, or pooled outputs [B, k d] if it is the whole encoder.

    The learner must have a frozen prefix. Runs without gradients and without dropout.
    """
    a, layers = backbone.architecture, frozen_layers(learner, backbone.architecture)
    with torch.no_grad():
        if layers == a.layers:
            return pooled(backbone, learner, {}, batch)
        return next(islice(STATES[a.model_type](a, backbone.encoder, batch), layers - 1, None))
