"""FLOPs of matrix products, from shapes: a formula gives those of a batch, a polynomial those of any batch.

A row of S tokens costs c₀ + c₁ S + c₂ S²: c₀ for the head, c₁ for the linear layers, c₂ for the attention scores. A
batch costs c in addition, because DeBERTa projects its relative positions once per batch. Four shapes give the four
coefficients exactly, forward and backward, for any learner. The counts are those of PyTorch's counter on the same
forward pass, to the unit. PyTorch itself counts a method of peft, whose products are in modules of that library, and a
plug-in's functional form that has no formula.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from learners.backbones.architecture import Architecture
from learners.forward.batches import evaluation_plan
from learners.forward.frozen_layers import frozen_layers
from learners.forward.polynomial import fitted, total_flops
from learners.forward.products.batch import batch_flops
from learners.specification.learner import Learner

if TYPE_CHECKING:
    from learners.backbones.backbone import Backbone
    from learners.forward.frozen_prefix import FrozenPrefix


def flops_per_row(
    architecture: Architecture,
    learner: Learner,
    outputs: int,
    *,
    backward: bool,
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
    load: Callable[[], Backbone] | None = None,
) -> np.ndarray:
    """Coefficients (c, c₀, c₁, c₂), float64 [4], of the forward pass or of a training step.

    A multiplication and an addition count as two FLOPs. Element-wise operations (norms, activations, the optimiser) and
    the MLP of a prefix are not counted.

    Args:
        outputs: Width of the head, C.
        backward: Count a whole training step, forward and backward. False counts the forward pass only.
        frozen: Names of the tensors of the Delta that are not trained. Default: none.
        above: Do not count the frozen prefix, that is, the first layers that the learner does not change. Default:
            count all layers.
        load: Returns the backbone. It is called only for a method of peft, which must have it. Default: None.

    Raises:
        InputError: The learner cannot apply to this architecture.
    """
    one, each = coefficients(architecture, learner, backward=backward, frozen=frozen, above=above, load=load)
    return np.asarray(one + (outputs - 1) * each)


def coefficients(
    architecture: Architecture,
    learner: Learner,
    *,
    backward: bool,
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
    load: Callable[[], Backbone] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of `flops_per_row` for one output, and what each further output adds; float64 [4] each.

    Arguments and errors as for `flops_per_row`.
    """
    if not learner.trains:
        return np.zeros(4), np.zeros(4)
    if learner.peft:
        if load is None:
            raise ValueError("the products of a method of peft are counted on the backbone")
        from learners.forward.peft_flops import peft_coefficients

        return peft_coefficients(load(), learner, backward, frozen)
    return _by_formula(architecture, learner, backward, frozen, above and frozen_layers(learner, architecture) > 0)


def frozen_flops(architecture: Architecture, learner: Learner) -> np.ndarray:
    """Coefficients (c, c₀, c₁, c₂), float64 [4], of a forward pass through the frozen prefix."""
    whole, above = (flops_per_row(architecture, learner, 1, backward=False, above=above) for above in (False, True))
    return np.asarray(whole - above)


def flops_to_keep(frozen_prefix: FrozenPrefix | None) -> float:
    """FLOPs with which `open_frozen_prefix` computed its states, in the batches of the evaluation plan.

    0 if it stored no states.
    """
    if frozen_prefix is None or frozen_prefix.kept is None:
        return 0.0
    per_row, split = frozen_flops(frozen_prefix.backbone.architecture, frozen_prefix.learner), frozen_prefix.split
    batches = evaluation_plan(split).batches
    return sum(total_flops(per_row, len(rows), int(split.lengths[rows].max())) for rows in batches)


@lru_cache(maxsize=256)
def _by_formula(
    architecture: Architecture, learner: Learner, backward: bool, frozen: frozenset[str], above: bool
) -> tuple[np.ndarray, np.ndarray]:
    def count(rows: int, length: int, outputs: int) -> int:
        return batch_flops(
            architecture, learner, rows, length, outputs=outputs, backward=backward, frozen=frozen, above=above
        )

    found = fitted(count)
    for part in found:
        part.flags.writeable = False  # the cache gives the same arrays again
    return found
