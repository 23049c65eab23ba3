"""`--pack auto`: as many Deltas in a pass as the memory of a graphics card surely holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from learners.device import CPU, memory_of
from learners.specification.learner import Learner
from learners.specification.packable import why_unpacked

if TYPE_CHECKING:  # loads PyTorch
    from learners.backbones.backbone import Backbone

MOST = 32  # the passes of more slots are seldom full (`learners.forward.pack_plan`)
SHARE = 0.5  # of the card, for what a pass keeps; the rest is for weights, Deltas, moments and what is short-lived


def automatic_pack(backbone: Backbone, learners: Iterable[Learner], length: int, device: str) -> int:
    """Returns the number of slots of the packs of a run: from 1 to `MOST`. It depends on the kind of card, on backbone,
    learners, batch size and length, and on nothing that changes between two calls.

    Args:
        length: Most tokens of a row.
        device: Full name of the device.
    """
    able = [each for each in learners if not why_unpacked(each, backbone.architecture)]
    if device == CPU or not able:
        return 1
    from learners.backbones.backbone import placed
    from learners.training.step_memory import kept_bytes

    there = placed(backbone, "meta")
    slot = max(kept_bytes(there, each, each.training.batch_size, length) for each in able)
    return max(1, min(MOST, int(SHARE * memory_of(device) / slot)))
