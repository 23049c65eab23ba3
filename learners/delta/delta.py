"""A Delta: everything one task adds to the backbone, head included, as named tensors with a content id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from learners.backbones.fingerprint import tensor_digest
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.interrupts import interrupt_later

SCHEMA = 1
HEADS = "heads."
T = TypeVar("T")


@dataclass(frozen=True)
class Counts:
    """Scalars of a Delta: `backbone` new values of frozen weights, `added` new ones, `head`; zeros pruned."""

    backbone: int
    added: int
    head: int

    @property
    def without_head(self) -> int:
        return self.backbone + self.added


@dataclass(frozen=True, eq=False)
class Delta:
    """Named tensors (float32), sorted by name, immutable by convention and guarded by content id.

    Names start with `backbone.` (new value of a backbone weight), `difference.` (what is added to one), `added.`
    (tensor of a modification), `head.`, or `heads.<task>.` (the head of another task, where it was trained with this
    one). `pruned` names tensors whose zeros were removed: they are stored as values and indices.
    """

    tensors: Mapping[str, Tensor]
    pruned: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # A closed gate makes -0.0 of a negative weight, and a sparse file gives back 0.0: pruned zeros have no sign.
        tensors = {name: t + 0.0 if name in self.pruned else t for name, t in sorted(self.tensors.items())}
        object.__setattr__(self, "tensors", MappingProxyType(tensors))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Digest of every tensor, by name; taken once, when the Delta is made or read. That of another task's head is
        the one it has where it answers for its task."""
        return {name: tensor_digest(_own_name(name), tensor) for name, tensor in self.tensors.items()}

    @cached_property
    def id(self) -> str:
        """Content id over names, dtypes, shapes, bytes, and which tensors are pruned."""
        return content_id("delta", canonical(dict(self.digests)), canonical(sorted(self.pruned)))

    @property
    def counts(self) -> Counts:
        """Kept scalars by part; those of other tasks' heads count with their tasks."""
        sums = {"backbone": 0, "difference": 0, "added": 0, "head": 0, "heads": 0}
        for name, kept in self.kept.items():
            sums[name.split(".", 1)[0]] += kept
        return Counts(sums["backbone"] + sums["difference"], sums["added"], sums["head"])

    @property
    def kept(self) -> dict[str, int]:
        """Scalars of each tensor, pruned zeros left out."""
        return {
            name: int(torch.count_nonzero(tensor)) if name in self.pruned else tensor.numel()
            for name, tensor in self.tensors.items()
        }

    def with_head(self, other: Delta, task: str = "") -> Delta:
        """This body with the head of `other`, or the newer one of `task` that is here: how a sequential learner answers
        an earlier task."""
        mixed = Delta(answering(self.tensors, other.tensors, task), self.pruned)
        known = answering(self.digests, other.digests, task)
        mixed.__dict__["digests"] = {name: known[name] for name in mixed.tensors}  # taken already; a body is large
        return mixed


def answering(newest: Mapping[str, T], own: Mapping[str, T], task: str) -> dict[str, T]:
    """Of tensors or digests by name, those that answer for a task under a sequential learner: the newest body, and the
    task's head, from there if it was trained since, else as the task's own fit left it."""
    body = {name: value for name, value in newest.items() if not is_head(name)}
    head = {name: value for name, value in own.items() if name.startswith("head.")}
    since = {f"head.{part}": f"{HEADS}{task}.{part}" for part in ("weight", "bias")}
    return body | head | {name: newest[later] for name, later in since.items() if later in newest}


def is_head(name: str) -> bool:
    """Whether a tensor belongs to a head, of whichever task."""
    return name.startswith(("head.", HEADS))


def heads_of_others(names: Iterable[str]) -> set[str]:
    """Tasks of which a Delta with tensors of such names holds the newer heads."""
    return {name.removeprefix(HEADS).rpartition(".")[0] for name in names if name.startswith(HEADS)}


def _own_name(name: str) -> str:
    return f"head.{name.rpartition('.')[2]}" if name.startswith(HEADS) else name


def save_delta(delta: Delta, path: Path) -> int:
    """Write a Delta as safetensors, atomically; returns bytes on disk.

    A pruned tensor `x` is written as `x#values` and `x#indices` (int32, into the flattened tensor), its shape in
    the header, where that is smaller than the tensor itself.
    """
    stored: dict[str, Tensor] = {}
    shapes: dict[str, list[int] | None] = {}
    for name, tensor in delta.tensors.items():
        stored[name] = tensor.contiguous()
        if name in delta.pruned:
            flat = tensor.reshape(-1)
            indices = torch.nonzero(flat).reshape(-1)
            shapes[name] = None
            if 2 * len(indices) < len(flat):  # an index costs as much as a value
                del stored[name]
                stored[f"{name}#values"], stored[f"{name}#indices"] = flat[indices], indices.to(torch.int32)
                shapes[name] = list(tensor.shape)
    metadata = {"taskstream": json.dumps({"schema": SCHEMA, "id": delta.id, "pruned": shapes})}
    write_atomic(path, save(stored, metadata=metadata))  # not `save_file`: its files are for their owner alone
    return path.stat().st_size


def load_delta(path: Path, expected: str | None = None, digests: Mapping[str, str] | None = None) -> Delta:
    """Read a Delta and check its content.

    Args:
        path: A file of `save_delta`.
        expected: Content id it must have; None takes it as it is.
        digests: Digest of each tensor as recorded, to name the one that differs.

    Raises:
        InputError: The file is missing or damaged, or its content is not the expected one; names the tensor.
    """
    try:
        with interrupt_later(), safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("taskstream", "{}"))
            raw = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError("cannot read this Delta", where=str(path), found=str(error), fix=_RESTORE) from None
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise InputError("not a Delta of this version", where=str(path), expected=f"schema {SCHEMA}", found=str(header))
    try:
        delta = _with_zeros(raw, header["pruned"])
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:
        found = f"a header that does not fit the tensors ({type(error).__name__})"
        raise InputError("cannot read this Delta", where=str(path), found=found, fix=_RESTORE) from None
    if expected is not None and delta.id != expected:
        changed = [n for n, d in (digests or {}).items() if delta.digests.get(n) != d]
        raise InputError(
            "a stored Delta changed" + (f", tensor {changed[0]}" if changed else ""),
            where=str(path),
            expected=f"content {expected[:16]}",
            found=delta.id[:16],
            fix=_RESTORE,
        )
    return delta


def load_head(path: Path, digests: Mapping[str, str]) -> Delta:
    """Read the head of a Delta alone: what a sequential learner needs of an earlier task.

    Raises:
        InputError: The file is missing or damaged, or a tensor of the head is not as recorded.
    """
    try:
        with interrupt_later(), safe_open(path, framework="pt") as file:
            head = Delta({name: file.get_tensor(name) for name in digests if name.startswith("head.")})
    except (OSError, SafetensorError) as error:
        raise InputError("cannot read this Delta", where=str(path), found=str(error), fix=_RESTORE) from None
    for name, digest in head.digests.items():
        if digest != digests[name]:
            found = f"content {digest[:16]}"
            raise InputError(
                f"a stored Delta changed, tensor {name}",
                where=str(path),
                expected=digests[name][:16],
                found=found,
                fix=_RESTORE,
            )
    return head


def _with_zeros(raw: Mapping[str, Tensor], shapes: Mapping[str, list[int] | None]) -> Delta:
    """The Delta whose pruned tensors `raw` holds as values and indices where a shape is given, else whole."""
    tensors = {name: tensor for name, tensor in raw.items() if "#" not in name}
    for name, shape in shapes.items():
        if shape is None:
            continue
        dense = torch.zeros(torch.Size(shape).numel(), dtype=raw[f"{name}#values"].dtype)
        dense[raw[f"{name}#indices"].long()] = raw[f"{name}#values"]
        tensors[name] = dense.reshape(shape)
    return Delta(tensors, frozenset(shapes))


_RESTORE = "restore the file, or delete it and run the same command again to fit that task anew"
