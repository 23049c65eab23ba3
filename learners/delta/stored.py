"""What the file of a Delta contains: digests and numbers of its tensors. Needs no PyTorch, so that checks begin at
once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from learners.backbones.fingerprint import content_digest
from learners.delta.delta import Counts, counts_of, id_of, own_name, read_file
from tasks.errors import InputError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class StoredDelta:
    """Facts about the file of a Delta, without its tensors.

    Attributes:
        id: Content id of the tensors; equal to `Delta.id` of the loaded Delta.
        digests: Digest of each tensor, by name.
        pruned: Names of the pruned tensors.
        kept: Number of scalars of each tensor, without zeros of pruning.
        sizes: Number of scalars of each tensor, with zeros of pruning.
        size: Size of the file in bytes.
        negative_zeros: Names of the pruned tensors that contain a negative zero.
    """

    id: str
    digests: Mapping[str, str]
    pruned: frozenset[str]
    kept: Mapping[str, int]
    sizes: Mapping[str, int]
    size: int
    negative_zeros: tuple[str, ...]

    @property
    def counts(self) -> Counts:
        """Number of scalars of the Delta, by part."""
        return counts_of(self.kept)


def stored_delta(path: Path) -> StoredDelta:
    """Reads the file of a Delta and computes its content id.

    Raises:
        InputError: The file is missing or damaged.
    """
    raw, shapes = read_file(path, "np")
    try:
        tensors = {name: array for name, array in raw.items() if "#" not in name}
        tensors |= {name: _with_zeros(raw, name, shape) for name, shape in shapes.items() if shape is not None}
        pruned = frozenset(shapes)
        negative = tuple(name for name in shapes if name in raw and np.signbit(raw[name][raw[name] == 0]).any())
        # The sign of a pruned zero does not count, as in a `Delta`.
        tensors = {name: array + 0.0 if name in pruned else array for name, array in sorted(tensors.items())}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        found = f"a header that does not match the tensors ({type(error).__name__})"
        raise InputError("cannot read this Delta", where=str(path), found=found) from None
    digests = {name: _digest(own_name(name), array) for name, array in tensors.items()}
    kept = {name: int(np.count_nonzero(array)) if name in pruned else array.size for name, array in tensors.items()}
    return StoredDelta(
        id=id_of(digests, pruned),
        digests=digests,
        pruned=pruned,
        kept=kept,
        sizes={name: array.size for name, array in tensors.items()},
        size=path.stat().st_size,
        negative_zeros=negative,
    )


def _with_zeros(raw: Mapping[str, Array], name: str, shape: list[int]) -> Array:
    """Returns a tensor of which the file stores values and indices."""
    values = raw[f"{name}#values"]
    dense = np.zeros(math.prod(shape), dtype=values.dtype)
    dense[raw[f"{name}#indices"].astype(np.int64)] = values
    return dense.reshape(shape)


def _digest(name: str, array: Array) -> str:
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return content_digest(name, f"torch.{array.dtype.name}", array.shape, content.data if content.size else b"")
