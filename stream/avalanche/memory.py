"""The memory of a strategy, in bytes: what it stores for later tasks apart from its model.

This can be rows, importances, old weights and old models.
"""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from avalanche.benchmarks.scenarios import CLExperience
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.plugins import AGEMPlugin, EvaluationPlugin, GEMPlugin
from torch import Tensor, nn

from stream.avalanche.loop import Fitting
from stream.avalanche.model import Classifier, SharedState
from stream.avalanche.rows import LENGTHS, TASK_LABEL

TOKEN, LABEL = 5, 8  # bytes in an encoded row: per token an id and a type; per row a class or a score
# Objects that do not belong to the strategy, or are not kept for later tasks.
NOT_KEPT = (CLExperience, EvaluationPlugin, Fitting, SharedState, type)
# Attributes that every step computes again.
SCRATCH: Mapping[type, str] = {AGEMPlugin: "reference_gradients", GEMPlugin: "G"}
FUNCTIONS = (FunctionType, MethodType, ModuleType)


def kept_bytes(strategy: Any) -> int:
    """Returns the bytes of all tensors and data sets that a strategy and its plugins refer to, each counted once.

    Not counted: the strategy's own model, tensors of other models that equal the backbone, and values that every step
    computes again.
    """
    model = {parameter.data_ptr() for parameter in strategy.model.parameters()}
    tensors: dict[int, int] = {}
    rows = 0
    not_kept = [strategy.model, strategy.optimizer, strategy.loss]
    for found in _reachable(strategy, {id(each) for each in not_kept}):
        if isinstance(found, AvalancheDataset):
            rows += _row_bytes(found)
        else:
            tensors[found.data_ptr()] = found.nbytes
    return rows + sum(size for place, size in tensors.items() if place not in model)


def _reachable(root: Any, seen: set[int]) -> Iterator[Any]:
    """Yields every tensor and data set that `root` refers to, once."""
    left = [root]
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, NOT_KEPT):
            continue
        seen.add(id(each))
        if isinstance(each, Tensor | AvalancheDataset):
            yield each
        elif isinstance(each, Classifier):
            yield from each.changed()
        elif isinstance(each, nn.Module):
            yield from each.parameters()
            yield from each.buffers()
        elif isinstance(each, Mapping):
            left += each.values()
        elif isinstance(each, list | tuple | set):
            left += each
        elif hasattr(each, "__dict__") and not isinstance(each, FUNCTIONS):
            left += (value for name, value in vars(each).items() if name != SCRATCH.get(type(each)))


def _row_bytes(data: AvalancheDataset) -> int:
    """Returns the bytes of all rows of a data set, with tensors that a strategy added to them."""
    ours = ("targets", TASK_LABEL, LENGTHS)
    written = (value for name, values in data._data_attributes.items() if name not in ours for value in values)
    return (
        TOKEN * sum(getattr(data, LENGTHS, ()))  # an empty data set has no lengths
        + LABEL * len(data)
        + sum(value.nbytes for value in written if isinstance(value, Tensor))
    )
