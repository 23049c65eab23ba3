"""A Delta: the named tensors that one task adds to the backbone, head included. It has a content id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from safetensors import SafetensorError, safe_open

from learners.backbones.fingerprint import tensor_digest
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.interrupts import interrupt_later

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = 1
HEADS = "heads."
T = TypeVar("T")


@dataclass(frozen=True)
class Counts:
    """Numbers of scalars in a Delta. Pruned zeros do not count.

    Attributes:
        backbone: New values of backbone weights, and differences from them.
        added: Scalars of modifications, prompts and methods of peft.
        head: Scalars of the task's own head.
    """

    backbone: int
    added: int
    head: int

    @property
    def without_head(self) -> int:
        """Scalars that are not part of the head."""
        return self.backbone + self.added


@dataclass(frozen=True, eq=False)
class Delta:
    """Named float32 tensors, sorted by name. Do not change them: the content id covers them.

    Each name starts with one of these:

    * `backbone.`: the new value of a backbone weight.
    * `difference.`: a tensor that is added to a backbone weight.
    * `added.`: a tensor of a modification, of a prompt or of a method of peft.
    * `head.`: the head of the task.
    * `heads.<task>.`: the head of another task that was trained together with this one.

    Attributes:
        tensors: Tensors by name.
        pruned: Names of tensors whose zeros were removed. A file stores them as values and indices. Default: none.
    """

    tensors: Mapping[str, Tensor]
    pruned: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # A closed gate turns a negative weight into -0.0, but a sparse file gives back 0.0. So remove the sign here.
        tensors = {name: t + 0.0 if name in self.pruned else t for name, t in sorted(self.tensors.items())}
        object.__setattr__(self, "tensors", MappingProxyType(tensors))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Digest of each tensor, by name. Computed at the first use, then cached.

        The digest of `heads.<task>.weight` is computed under the name `head.weight` (the same for `bias`). So it equals
        the digest of this tensor as the head of its own task.
        """
        return {name: tensor_digest(own_name(name), tensor) for name, tensor in self.tensors.items()}

    @cached_property
    def id(self) -> str:
        """Content id over the names, dtypes, shapes and bytes of all tensors, and over the names in `pruned`."""
        return id_of(self.digests, self.pruned)

    @property
    def counts(self) -> Counts:
        """Scalars by part, without pruned zeros and without the heads of other tasks."""
        return counts_of(self.kept)

    @property
    def kept(self) -> dict[str, int]:
        """Number of scalars of each tensor, without pruned zeros."""
        import torch

        return {
            name: int(torch.count_nonzero(tensor)) if name in self.pruned else tensor.numel()
            for name, tensor in self.tensors.items()
        }

    def with_head(self, other: Delta, task: str = "") -> Delta:
        """The Delta with which a sequential learner predicts an earlier task: this body and the head of that task.

        Args:
            other: Delta of the earlier task. Its head is used if this Delta has no newer head of `task`.
            task: Name of the earlier task. Default: "", which always uses the head of `other`.
        """
        mixed = Delta(answering(self.tensors, other.tensors, task), self.pruned)
        digests = answering(self.digests, other.digests, task)
        mixed.__dict__["digests"] = {name: digests[name] for name in mixed.tensors}  # hashing a body again is slow
        return mixed


def answering(newest: Mapping[str, T], own: Mapping[str, T], task: str) -> dict[str, T]:
    """Select the tensors (or their digests) with which a sequential learner predicts a task.

    The body is always the newest one. The head is the newest head of the task.

    Args:
        newest: Tensors or digests of the newest Delta, by name. It may hold a newer head of the task.
        own: Tensors or digests of the Delta from the task's own fit. Gives the head if `newest` holds none.
        task: Name of the task.
    """
    body = {name: value for name, value in newest.items() if not is_head(name)}
    head = {name: value for name, value in own.items() if name.startswith("head.")}
    newer = {f"head.{part}": f"{HEADS}{task}.{part}" for part in ("weight", "bias")}
    return body | head | {name: newest[source] for name, source in newer.items() if source in newest}


def is_head(name: str) -> bool:
    """Whether a tensor belongs to the head of any task."""
    return name.startswith(("head.", HEADS))


def heads_of_others(names: Iterable[str]) -> set[str]:
    """Names of the other tasks whose heads are among these tensors."""
    return {name.removeprefix(HEADS).rpartition(".")[0] for name in names if name.startswith(HEADS)}


def id_of(digests: Mapping[str, str], pruned: Iterable[str]) -> str:
    """Content id of a Delta with these digests of its tensors, by name."""
    return content_id("delta", canonical(dict(digests)), canonical(sorted(pruned)))


def counts_of(kept: Mapping[str, int]) -> Counts:
    """Scalars of a Delta by part, given the number of each tensor, by name."""
    sums = {"backbone": 0, "difference": 0, "added": 0, "head": 0, "heads": 0}
    for name, scalars in kept.items():
        sums[name.split(".", 1)[0]] += scalars
    return Counts(sums["backbone"] + sums["difference"], sums["added"], sums["head"])


def own_name(name: str) -> str:
    """Name under which a tensor's digest is computed: `head.weight` for the head of any task."""
    return f"head.{name.rpartition('.')[2]}" if name.startswith(HEADS) else name


def save_delta(delta: Delta, path: Path) -> int:
    """Write a Delta as a safetensors file, atomically. Returns the size of the file in bytes.

    A pruned tensor `x` becomes `x#values` and `x#indices` (int32, positions in the flattened tensor) if these are
    smaller than the tensor. The header then holds its shape.
    """
    import torch
    from safetensors.torch import save

    stored: dict[str, Tensor] = {}
    shapes: dict[str, list[int] | None] = {}
    for name, tensor in delta.tensors.items():
        stored[name] = tensor.contiguous()
        if name in delta.pruned:
            flat = tensor.reshape(-1)
            indices = torch.nonzero(flat).reshape(-1)
            shapes[name] = None
            if 2 * len(indices) < len(flat):  # an index is as large as a value
                del stored[name]
                stored[f"{name}#values"], stored[f"{name}#indices"] = flat[indices], indices.to(torch.int32)
                shapes[name] = list(tensor.shape)
    metadata = {"taskstream": json.dumps({"schema": SCHEMA, "id": delta.id, "pruned": shapes})}
    write_atomic(path, save(stored, metadata=metadata))  # only the owner can read what `save_file` writes
    return path.stat().st_size


def load_delta(path: Path, expected: str | None = None, digests: Mapping[str, str] | None = None) -> Delta:
    """Read a Delta and check its content.

    Args:
        path: File that `save_delta` wrote.
        expected: Content id that the Delta must have. None (default) accepts any content.
        digests: Recorded digest of each tensor, by name. With them the error names the first tensor that differs.

    Raises:
        InputError: The file is missing or damaged, or its content differs from `expected`.
    """
    raw, shapes = read_file(path, "pt")
    try:
        delta = _with_zeros(raw, shapes)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:
        found = f"a header that does not match the tensors ({type(error).__name__})"
        raise InputError("cannot read this Delta", where=str(path), found=found, fix=RESTORE) from None
    if expected is not None and delta.id != expected:
        changed = [n for n, d in (digests or {}).items() if delta.digests.get(n) != d]
        raise InputError(
            "a stored Delta changed" + (f", tensor {changed[0]}" if changed else ""),
            where=str(path),
            expected=f"content {expected[:16]}",
            found=delta.id[:16],
            fix=RESTORE,
        )
    return delta


def read_file(path: Path, framework: Literal["pt", "np"]) -> tuple[dict[str, Any], Mapping[str, list[int] | None]]:
    """Read the tensors in the file of a Delta as they are stored, and `shapes` of the pruned ones (`_with_zeros`).

    Args:
        framework: Whether to return tensors of PyTorch or arrays of NumPy.

    Raises:
        InputError: The file is missing or damaged, or of another version.
    """
    try:
        with interrupt_later(), safe_open(path, framework=framework) as file:
            header = json.loads((file.metadata() or {}).get("taskstream", "{}"))
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise InputError("cannot read this Delta", where=str(path), found=str(error), fix=RESTORE) from None
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise InputError("not a Delta of this version", where=str(path), expected=f"schema {SCHEMA}", found=str(header))
    shapes = header.get("pruned")
    if not isinstance(shapes, dict):
        found = "a header without the names of pruned tensors"
        raise InputError("cannot read this Delta", where=str(path), found=found, fix=RESTORE)
    return raw, shapes


def load_head(path: Path, digests: Mapping[str, str]) -> Delta:
    """Read only the head of a Delta. A sequential learner needs no more of an earlier task.

    Args:
        path: File that `save_delta` wrote.
        digests: Recorded digest of each tensor of the Delta, by name.

    Raises:
        InputError: The file is missing or damaged, or a tensor of the head differs from its recorded digest.
    """
    try:
        with interrupt_later(), safe_open(path, framework="pt") as file:
            head = Delta({name: file.get_tensor(name) for name in digests if name.startswith("head.")})
    except (OSError, SafetensorError) as error:
        raise InputError("cannot read this Delta", where=str(path), found=str(error), fix=RESTORE) from None
    for name, digest in head.digests.items():
        if digest != digests[name]:
            found = f"content {digest[:16]}"
            raise InputError(
                f"a stored Delta changed, tensor {name}",
                where=str(path),
                expected=digests[name][:16],
                found=found,
                fix=RESTORE,
            )
    return head


def _with_zeros(raw: Mapping[str, Tensor], shapes: Mapping[str, list[int] | None]) -> Delta:
    """Build a Delta from the tensors of its file.

    Args:
        raw: Tensors as stored, by name.
        shapes: Pruned tensors by name: the shape if the file stores values and indices, None if it stores the tensor.
    """
    import torch

    tensors = {name: tensor for name, tensor in raw.items() if "#" not in name}
    for name, shape in shapes.items():
        if shape is None:
            continue
        dense = torch.zeros(torch.Size(shape).numel(), dtype=raw[f"{name}#values"].dtype)
        dense[raw[f"{name}#indices"].long()] = raw[f"{name}#values"]
        tensors[name] = dense.reshape(shape)
    return Delta(tensors, frozenset(shapes))


RESTORE = "restore the file, or delete it and run the same command again to repeat the fit of that task"


def is_whole(path: Path) -> bool:
    """Whether a file is there and has the size that its header says. Its content may still be damaged."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        ends = (entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
        return path.stat().st_size == 8 + length + max(ends, default=0)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError):
        return False
