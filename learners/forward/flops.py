"""FLOPs of matrix products. PyTorch counts them on small batches; a polynomial extends them to any batch shape.

A row of S tokens costs c₀ + c₁ S + c₂ S²: c₀ for the head, c₁ for the linear layers, c₂ for the attention scores. A
batch costs c in addition, because DeBERTa projects its relative positions once per batch. Counts on four shapes give
the four coefficients exactly, forward and backward, for any learner. No formula needs maintenance.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from learners.backbones.backbone import Backbone
from learners.delta.initial import initial_delta
from learners.forward.batches import evaluation_plan
from learners.forward.forward import logits
from learners.forward.frozen_prefix import FrozenPrefix, frozen_states
from learners.forward.layer_range import frozen_layers
from learners.forward.polynomial import terms, total_flops
from learners.specification.learner import Learner
from tasks.task import Task

SHAPES = ((1, 1), (1, 2), (1, 3), (2, 1))  # (rows, length); independent shapes that every backbone takes


CacheKey = tuple[Learner, bool, frozenset[str], bool]
# A cache, as a stream needs the same counts for each task. Weak keys: it must not keep a backbone in memory.
_COUNTED: WeakKeyDictionary[Backbone, dict[CacheKey, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def flops_per_row(
    backbone: Backbone,
    learner: Learner,
    outputs: int,
    *,
    backward: bool,
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
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
    """
    one, each = coefficients(backbone, learner, backward=backward, frozen=frozen, above=above)
    return np.asarray(one + (outputs - 1) * each)


def coefficients(
    backbone: Backbone,
    learner: Learner,
    *,
    backward: bool,
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of `flops_per_row` for one output, and what each further output adds; float64 [4] each.

    Arguments as for `flops_per_row`.
    """
    if not learner.trains:
        return np.zeros(4), np.zeros(4)
    cache = _COUNTED.setdefault(backbone, {})
    key = learner, backward, frozen, above and frozen_layers(learner, backbone.architecture) > 0
    if key not in cache:
        counts = [_counted(backbone, shape, 1, *key) for shape in SHAPES]
        factors = [terms(*shape) for shape in SHAPES]
        one = np.linalg.solve(np.array(factors, dtype=float), np.array(counts, dtype=float))
        output = _counted(backbone, SHAPES[0], 2, *key) - counts[0]  # cost of one more output; does not depend on S
        cache[key] = one, np.array([0.0, output / SHAPES[0][0], 0.0, 0.0])
    return cache[key]


def frozen_flops(backbone: Backbone, learner: Learner) -> np.ndarray:
    """Coefficients (c, c₀, c₁, c₂), float64 [4], of a forward pass through the frozen prefix."""
    whole, above = (flops_per_row(backbone, learner, 1, backward=False, above=above) for above in (False, True))
    return np.asarray(whole - above)


def flops_to_keep(frozen_prefix: FrozenPrefix | None) -> float:
    """FLOPs with which `open_frozen_prefix` computed its states, in the batches of the evaluation plan.

    0 if it stored no states.
    """
    if frozen_prefix is None or frozen_prefix.kept is None:
        return 0.0
    per_row, split = frozen_flops(frozen_prefix.backbone, frozen_prefix.learner), frozen_prefix.split
    batches = evaluation_plan(split).batches
    return sum(total_flops(per_row, len(rows), int(split.lengths[rows].max())) for rows in batches)


def _counted(
    backbone: Backbone,
    shape: tuple[int, int],
    outputs: int,
    learner: Learner,
    backward: bool,
    frozen: frozenset[str],
    above: bool,
) -> int:
    task = Task("flops", "", "single", labels=tuple(str(i) for i in range(outputs)))
    delta = initial_delta(backbone, learner, task, seed=0)
    trainable = {
        name: tensor.clone().requires_grad_(backward and name not in frozen) for name, tensor in delta.tensors.items()
    }
    ids = torch.full(shape, (backbone.pad_id + 1) % backbone.architecture.vocabulary)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    frozen_prefix = frozen_states(backbone, learner, batch) if above else None
    with torch.set_grad_enabled(backward), _Counter() as counter:
        output = logits(backbone, learner, trainable, batch, frozen_prefix=frozen_prefix)
        if backward:
            torch.autograd.backward(output.sum())
    return int(counter.found)


class _Counter(TorchDispatchMode):
    """Counts FLOPs with PyTorch's formulas, but not per module: that takes longer than the pass of a small model."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found, self._formulas = 0, FlopCounterMode(display=False).flop_registry

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        out = func(*args, **named)
        if (formula := self._formulas.get(func.overloadpacket)) is not None:
            self.found += int(formula(*args, **named, out_val=out))
        return out
