"""What frozen layers make of test rows: computed once in a process, shared by learners, checked at each use."""

from __future__ import annotations

from dataclasses import dataclass, field

from learners.backbones.backbone import Backbone
from learners.forward.frozen_prefix import FrozenPrefix, open_frozen_prefix
from learners.forward.layer_range import frozen_layers
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit

ROOM = 1 << 28  # bytes in one process: states of 26 tasks of 200 rows of 60 tokens, MiniLM, bfloat16


class ActivationsChanged(Exception):
    """What was computed once for many evaluations is not what it was: bad memory, or a defect; the end of the run."""


@dataclass(eq=False)
class ActivationCache:
    """What was asked for first, while there is room: by task, how many layers lie below all that a learner changes, and
    how many are read."""

    states: dict[tuple[str, int, int], tuple[FrozenPrefix, str]] = field(default_factory=dict)

    def frozen_prefix(self, backbone: Backbone, learner: Learner, task: str, rows: EncodedSplit) -> FrozenPrefix | None:
        """What lies below all that a learner changes, of a task's test rows: the same for all learners that leave as
        many layers as they are. None where nothing does, or it is too large to keep.

        Raises:
            ActivationsChanged: It is not what was kept.
        """
        key = task, frozen_layers(learner, backbone.architecture), learner.layers_read
        if key[1] == 0:
            return None
        if key in self.states:
            found, digest = self.states[key]
            if found.digest != digest:
                raise ActivationsChanged(f"what was kept of the test rows of {task} changed in memory")
            return found
        opened = open_frozen_prefix(backbone, learner, rows)
        if opened is None or opened.kept is None:
            return None
        if opened.size + sum(one.size for one, _ in self.states.values()) <= ROOM:
            self.states[key] = opened, opened.digest
        return opened
