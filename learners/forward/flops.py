"""FLOPs of matrix products, counted by PyTorch on small batches and extended to any batch shape.

A row of S tokens costs c₀ + c₁ S + c₂ S²: the head, the linear layers, the attention scores; and a batch costs c once,
where DeBERTa projects its relative positions. Four counted shapes give the four coefficients exactly, forward and
backward, for any learner, with no formula to keep in step.
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
from learners.specification.learner import Learner
from tasks.task import Task

SHAPES = ((1, 1), (1, 2), (1, 3), (2, 1))  # rows and length; any that are independent would do, these fit any backbone


Asked = tuple[Learner, bool, frozenset[str], bool]
# A stream asks the same of every task. Weak: what was counted must not keep a backbone in memory.
_COUNTED: WeakKeyDictionary[Backbone, dict[Asked, tuple[np.ndarray, np.ndarray]]] = WeakKeyDictionary()


def flops_per_row(
    backbone: Backbone,
    learner: Learner,
    outputs: int,
    *,
    backward: bool,
    frozen: frozenset[str] = frozenset(),
    above: bool = False,
) -> np.ndarray:
    """Coefficients (c, c₀, c₁, c₂), float64 [4]; of the forward pass, or of a whole training step.

    Multiply and add count as two. Element-wise work (norms, activations, the optimiser) is not counted, nor the MLP
    that makes a prefix.

    Args:
        frozen: Tensors of the Delta that are not trained.
        above: Leave out the layers below all that the learner changes (`frozen_prefix`), if there
            are any.
    """
    if not learner.trains:
        return np.zeros(4)
    known = _COUNTED.setdefault(backbone, {})
    asked = learner, backward, frozen, above and frozen_layers(learner, backbone.architecture) > 0
    if asked not in known:
        counts = [_counted(backbone, shape, 1, *asked) for shape in SHAPES]
        terms = [_terms(*shape) for shape in SHAPES]
        one = np.linalg.solve(np.array(terms, dtype=float), np.array(counts, dtype=float))
        output = _counted(backbone, SHAPES[0], 2, *asked) - counts[0]  # of a row of the head's matrix, whatever S
        known[asked] = one, np.array([0.0, output / SHAPES[0][0], 0.0, 0.0])
    one, each = known[asked]
    return np.asarray(one + (outputs - 1) * each)


def total_flops(per_row: np.ndarray, rows: int, length: int) -> float:
    """FLOPs of a batch [rows, length], padding included."""
    return float(np.dot(per_row, _terms(rows, length)))


def _terms(rows: int, length: int) -> tuple[int, ...]:
    """What the coefficients are multiplied by."""
    return 1, rows, rows * length, rows * length**2


def frozen_flops(backbone: Backbone, learner: Learner) -> np.ndarray:
    """Coefficients, as of `flops_per_row`, of a forward pass through the layers below all that the learner changes."""
    whole, above = (flops_per_row(backbone, learner, 1, backward=False, above=above) for above in (False, True))
    return np.asarray(whole - above)


def flops_to_keep(frozen_prefix: FrozenPrefix | None) -> float:
    """FLOPs of what `open_frozen_prefix` computed and kept, in the batches of the evaluation plan; 0 if nothing."""
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
    """PyTorch's formulas without its bookkeeping of modules, which takes longer than the passes of a small model."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found, self._formulas = 0, FlopCounterMode(display=False).flop_registry

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        out = func(*args, **named)
        if (formula := self._formulas.get(func.overloadpacket)) is not None:
            self.found += int(formula(*args, **named, out_val=out))
        return out
