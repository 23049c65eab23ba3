"""The frozen prefix of a learner: the first layers of the encoder, which it does not change."""

from __future__ import annotations

from learners.backbones.architecture import Architecture
from learners.specification.learner import Learner
from learners.specification.tuned import Tuned


def frozen_layers(learner: Learner, architecture: Architecture) -> int:
    """Number of layers in the frozen prefix of a learner.

    All layers if the learner trains only a head. Otherwise the layers before the first one that the learner trains or
    its head reads. 0 if the learner tunes the embeddings, adds anything to the forward pass, or does not train.
    """
    if not learner.may_freeze_layers:
        return 0
    if learner.tuned == Tuned():
        return architecture.layers
    return architecture.layers - max(learner.tuned.top_layers, learner.layers_read)
