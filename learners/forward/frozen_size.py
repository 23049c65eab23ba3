"""The size of the stored output of a frozen prefix (`learners.forward.frozen_prefix`)."""

from __future__ import annotations

import math

from learners.backbones.architecture import Architecture
from learners.forward.frozen_layers import frozen_layers
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit

# Bytes of the stored states of one split. A fit stores two splits. Larger ones are computed again in each batch.
MAX_BYTES = 1 << 28


def is_stored(architecture: Architecture, learner: Learner, split: EncodedSplit, itemsize: int) -> bool:
    """Whether the learner has a frozen prefix whose states for this split are small enough to store.

    Args:
        itemsize: Bytes of a number of the backbone's dtype.
    """
    size = math.prod(stored_shape(architecture, learner, split)) * itemsize
    return frozen_layers(learner, architecture) > 0 and size <= MAX_BYTES


def stored_shape(architecture: Architecture, learner: Learner, split: EncodedSplit) -> tuple[int, int]:
    """Shape of the stored states: one row per token; one per row of the split if the prefix is the whole encoder."""
    above = frozen_layers(learner, architecture) < architecture.layers
    vectors = int(split.offsets[-1]) if above else len(split)
    return vectors, architecture.hidden * (1 if above else learner.layers_read)
