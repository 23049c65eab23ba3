"""Logits of a text model: a pure function of (stored tensors, features of the rows)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from learners.device import to_device, to_host
from learners.nobert.features import Features, weighted
from learners.nobert.texts import texts_of
from learners.nobert.vectors import dense
from learners.specification.text_model import TextModel
from tasks.encoded import EncodedSplit
from tasks.tokenizer import Tokenizer


def text_logits(
    model: TextModel, tensors: Mapping[str, Tensor], tokenizer: Tokenizer, split: EncodedSplit
) -> npt.NDArray[np.float32]:
    """Returns logits float32 [n, C] of all rows of a split, in its order.

    Args:
        tensors: Tensors of a Delta by name.
        tokenizer: Tokenizer that encoded the rows.
    """
    return logits_of(tensors, Features(texts_of(tokenizer, split), model.buckets))


def logits_of(tensors: Mapping[str, Tensor], features: Features) -> npt.NDArray[np.float32]:
    """Returns logits float32 [n, C], computed in float64.

    They are the sum of the bias and of what each part adds. Parts whose weights are missing or all zero are not
    computed: the chosen model does not have them.

    Args:
        tensors: Tensors by name (`TextModel.shapes`), and `head.bias` [C].
    """
    given = {name: tensor for name, tensor in tensors.items() if tensor.any()}
    found = np.tile(to_host(tensors["head.bias"].double()), (len(features), 1))
    for block in ("words", "characters"):
        if (weight := given.get(f"added.{block}.weight")) is not None:
            rows = weighted(getattr(features, block), to_host(tensors[f"added.{block}.idf"]))
            found += rows @ to_host(weight.double()).T
    if (weight := given.get("added.overlap.weight")) is not None:
        found += _product(features.overlap, weight)
    table = tensors.get("added.vectors.table")
    if table is not None and {"added.vectors.weight", "added.network.weight"} & {*given}:
        inputs = dense(features, to_host(table))
        if (weight := given.get("added.vectors.weight")) is not None:
            found += _product(inputs, weight)
        if (weight := given.get("added.network.weight")) is not None:
            hidden = _product(inputs, tensors["added.network.hidden.weight"])
            hidden += to_host(tensors["added.network.hidden.bias"].double())
            found += _product(np.maximum(hidden, 0), weight)
    return found.astype(np.float32)


def _product(rows: Any, weight: Tensor) -> Any:
    """Product of rows [n, width] and a matrix [m, width]: float64 [n, m]. By PyTorch, whose arithmetic is recorded."""
    return to_host(to_device(np.ascontiguousarray(rows)) @ weight.double().T)
