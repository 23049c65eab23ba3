"""A cache of the activations of frozen layers on test rows: computed once per process, shared by learners, and checked
at each use."""

from __future__ import annotations

from dataclasses import dataclass, field

from learners.backbones.backbone import Backbone
from learners.forward.frozen_layers import frozen_layers
from learners.forward.frozen_prefix import FrozenPrefix, open_frozen_prefix
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit

CAPACITY = 1 << 28  # bytes per process: enough for 26 tasks of 200 rows of 60 tokens with MiniLM in bfloat16


class ActivationsChanged(Exception):
    """Cached activations changed in memory, because of bad memory or a defect. This ends the run."""


@dataclass(eq=False)
class ActivationCache:
    """Activations of frozen layers, cached in the order of the requests until the cache is full.

    Attributes:
        states: By task, number of layers below the first one that the learner changes, and number of layers that the
            head reads: the activations, and their hash when they were cached.
    """

    states: dict[tuple[str, int, int], tuple[FrozenPrefix, str]] = field(default_factory=dict)

    def frozen_prefix(
        self, backbone: Backbone, learner: Learner, task: str, rows: EncodedSplit
    ) -> tuple[FrozenPrefix | None, bool]:
        """Returns the activations of a task's test rows below the first layer that a learner changes.

        They are the same for all learners that leave the same number of layers unchanged.

        Args:
            rows: The test rows of the task.

        Returns:
            The activations, None if the learner changes the first layer or if they are too large to keep in memory; and
            whether they were in the cache. If they were not, this call computed them.

        Raises:
            ActivationsChanged: The cached activations no longer have their hash.
        """
        key = task, frozen_layers(learner, backbone.architecture), learner.layers_read
        if key[1] == 0:
            return None, False
        if key in self.states:
            cached, digest = self.states[key]
            if cached.digest != digest:
                raise ActivationsChanged(f"the cached activations of the test rows of {task} changed in memory")
            return cached, True
        computed = open_frozen_prefix(backbone, learner, rows)
        if computed is None or computed.kept is None:
            return None, False
        if computed.size + sum(cached.size for cached, _ in self.states.values()) <= CAPACITY:
            self.states[key] = computed, computed.digest
        return computed, False
