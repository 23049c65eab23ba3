"""What a strategy keeps for later tasks beside its model, in bytes: rows, importances, old weights, old models."""

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
from stream.avalanche.model import Classifier, Surroundings
from stream.avalanche.rows import LENGTHS, TASK_LABEL

TOKEN, LABEL = 5, 8  # bytes as rows are encoded: an id and a type; a class or a score
# Neither kept for later tasks nor of the strategy.
PASSING = (CLExperience, EvaluationPlugin, Fitting, Surroundings, type)
# Attributes that are made anew in every step that uses them.
SCRATCH: Mapping[type, str] = {AGEMPlugin: "reference_gradients", GEMPlugin: "G"}
FUNCTIONS = (FunctionType, MethodType, ModuleType)


def kept_bytes(strategy: Any) -> int:
    """Tensors, and rows of data sets, that can be reached from a strategy and its plugins, each tensor once; without
    those of its model, those of other models that are as in the backbone, and what a step makes for itself."""
    model = {parameter.data_ptr() for parameter in strategy.model.parameters()}
    tensors: dict[int, int] = {}
    rows = 0
    passing = [strategy.model, strategy.optimizer, strategy.loss]
    for found in _reachable(strategy, {id(each) for each in passing}):
        if isinstance(found, AvalancheDataset):
            rows += _row_bytes(found)
        else:
            tensors[found.data_ptr()] = found.nbytes
    return rows + sum(size for place, size in tensors.items() if place not in model)


def _reachable(root: Any, seen: set[int]) -> Iterator[Any]:
    """Every tensor and data set, once."""
    left = [root]
    while left:
        each = left.pop()
        if id(each) in seen or isinstance(each, PASSING):
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
    """Of all rows of a data set, with what a strategy may have written into them."""
    known = ("targets", TASK_LABEL, LENGTHS)
    written = (value for name, values in data._data_attributes.items() if name not in known for value in values)
    return (
        TOKEN * sum(getattr(data, LENGTHS, ()))  # an empty one has none
        + LABEL * len(data)
        + sum(value.nbytes for value in written if isinstance(value, Tensor))
    )
