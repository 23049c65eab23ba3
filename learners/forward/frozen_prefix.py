"""States that leave the layers below all that a learner changes: the same in every epoch and for every Delta.

They are computed once, in the batches of the evaluation plan and without dropout, and kept: a fixed extractor of
features (Devlin et al. 2019, section 5.3), on which what is trained is trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.backbones.fingerprint import tensor_digest
from learners.forward.batches import collate, evaluation_plan
from learners.forward.forward import Batch, dropout_active, pooled, watched
from learners.forward.layer_range import frozen_layers, layer_range
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit

MOST = 1 << 28  # bytes of one split's states, and a fit keeps two; those of a larger one are computed in each batch


@dataclass(frozen=True, eq=False)
class FrozenPrefix:
    """What lies below, of the rows of a split.

    Attributes:
        layers: How many layers that are.
        kept: States of all tokens [tokens, d] in the split's order, or, where no layer lies above, pooled outputs
            [n, k d]; None where they are too large to keep.
    """

    backbone: Backbone
    learner: Learner
    split: EncodedSplit
    layers: int
    kept: Tensor | None

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return 0 if self.kept is None else self.kept.nbytes

    @property
    def digest(self) -> str:
        """SHA-256 of what is kept."""
        return "" if self.kept is None else tensor_digest("below", self.kept)

    def of(self, rows: np.ndarray, batch: Batch) -> Tensor:
        """States [B, S, d], zeros for padding, or pooled outputs [B, k d], of the rows that a batch is made of."""
        if self.kept is None:
            return frozen_states(self.backbone, self.learner, batch)
        if self.layers == self.backbone.architecture.layers:
            return self.kept[torch.from_numpy(rows)]
        found = self.kept.new_zeros((*batch["input_ids"].shape, self.kept.shape[1]))
        for states, start, stop in zip(found, self.split.offsets[rows], self.split.offsets[rows + 1], strict=True):
            states[: stop - start] = self.kept[start:stop]
        return found


def keeps_frozen_prefix(backbone: Backbone, learner: Learner, split: EncodedSplit) -> bool:
    """Whether there is something below, and it is kept."""
    size = math.prod(_shape(backbone, learner, split)) * backbone.dtype.itemsize
    return frozen_layers(learner, backbone.architecture) > 0 and size <= MOST


def _shape(backbone: Backbone, learner: Learner, split: EncodedSplit) -> tuple[int, int]:
    """Of what would be kept: of all tokens, or of all rows where no layer lies above."""
    architecture = backbone.architecture
    above = frozen_layers(learner, architecture) < architecture.layers
    vectors = int(split.offsets[-1]) if above else len(split)
    return vectors, architecture.hidden * (1 if above else learner.layers_read)


def open_frozen_prefix(backbone: Backbone, learner: Learner, split: EncodedSplit) -> FrozenPrefix | None:
    """Compute and keep what lies below; None where nothing does."""
    layers = frozen_layers(learner, backbone.architecture)
    if layers == 0:
        return None
    if not keeps_frozen_prefix(backbone, learner, split):
        return FrozenPrefix(backbone, learner, split, layers, None)
    kept = torch.empty(_shape(backbone, learner, split), dtype=backbone.dtype)
    for rows in evaluation_plan(split).batches:
        states = frozen_states(backbone, learner, collate(backbone, split, rows))
        if layers == backbone.architecture.layers:
            kept[torch.from_numpy(rows)] = states
            continue
        for own, start, stop in zip(states, split.offsets[rows], split.offsets[rows + 1], strict=True):
            kept[start:stop] = own[: stop - start]
    return FrozenPrefix(backbone, learner, split, layers, kept)


def frozen_states(backbone: Backbone, learner: Learner, batch: Batch) -> Tensor:
    """States [B, S, d] that leave the layers below, or pooled outputs [B, k d] where no layer lies above."""
    layers = frozen_layers(learner, backbone.architecture)
    with torch.no_grad(), dropout_active(backbone, False):
        if layers == backbone.architecture.layers:
            return pooled(backbone, learner, {}, batch)
        with watched(backbone, [layers - 1]) as states:
            layer_range(backbone, 0, layers)(**batch)
        return states[0]
