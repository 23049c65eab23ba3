"""What a strategy keeps for later tasks beside its model, in bytes: rows, importances, old weights, old models."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from avalanche.benchmarks.scenarios import CLExperience
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.plugins import EvaluationPlugin
from torch import Tensor, nn

from stream.avalanche.loop import Fitting
from stream.avalanche.model import Surroundings

TOKEN, LABEL = 5, 8  # bytes as rows are encoded: an id and a type; a class or a score
# Neither kept for later tasks nor of the strategy.
PASSING = (CLExperience, EvaluationPlugin, Fitting, Surroundings, type)
FUNCTIONS = (FunctionType, MethodType, ModuleType)


def kept_bytes(strategy: Any) -> int:
    """Tensors, and rows of data sets, that can be reached from a strategy and its plugins, each tensor once."""
    model = {parameter.data_ptr() for parameter in strategy.model.parameters()}
    tensors: dict[int, int] = {}
    rows = 0
    passing = [strategy.model, strategy.optimizer, strategy.loss]
    for found in _reachable(strategy, {id(each) for each in passing}):
        if isinstance(found, AvalancheDataset):
            rows += sum(_row_bytes(row) for row in found)
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
        elif isinstance(each, nn.Module):
            yield from each.parameters()
            yield from each.buffers()
        elif isinstance(each, Mapping):
            left += each.values()
        elif isinstance(each, list | tuple | set):
            left += each
        elif hasattr(each, "__dict__") and not isinstance(each, FUNCTIONS):
            left += vars(each).values()


def _row_bytes(row: Mapping[str, Any]) -> int:
    written = [value for key, value in row.items() if key not in ("input_ids", "attention_mask", "token_type_ids")]
    return TOKEN * len(row["input_ids"]) + LABEL + sum(value.nbytes for value in written if isinstance(value, Tensor))
