"""Tokenised tasks as flat arrays on disk: read without tokenizer or source, memory-mapped, checked by size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.content import content_id
from tasks.errors import InputError
from tasks.examples import SPLITS
from tasks.suite import TASKS
from tasks.task import Task

FORMAT = "encoded 1"
META = "meta.json"
ARRAYS: Mapping[str, str] = {"ids": "<i4", "types": "|u1", "offsets": "<i8", "target": "", "keys": "<u8"}


@dataclass(frozen=True, eq=False)
class EncodedSplit:
    """One split of a tokenised task: the tokens of all rows one after another.

    Attributes:
        ids: Token ids, int32 [tokens]; row r is ids[offsets[r]:offsets[r + 1]].
        types: Token types (segments), uint8 [tokens]; 1 in the second text of a pair, 0 where the tokenizer knows none.
        offsets: Where rows begin, int64 [n + 1].
        target: Class indices int64 [n], or scores float32 [n] for regression.
        keys: Content key of every row's texts, uint64 [n].
    """

    ids: npt.NDArray[np.int32]
    types: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    keys: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of every row, int64 [n]."""
        return np.diff(self.offsets)

    def select(self, rows: npt.NDArray[np.integer]) -> EncodedSplit:
        """The given rows [m] in the given order, as a split of its own in memory."""
        lengths = self.lengths[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        tokens = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return EncodedSplit(self.ids[tokens], self.types[tokens], offsets, self.target[rows], self.keys[rows])


@dataclass(frozen=True, eq=False)
class EncodedTask:
    """A tokenised task.

    Attributes:
        task: The task with `labels` resolved.
        id: SHA-256 content id over labels and all arrays: equal ids, equal training and evaluation data.
        max_length: Tokens a row may have, special tokens included.
        notes: What was derived or dropped on the way from the source.
        path: The folder it lies in, to be opened by other processes.
    """

    task: Task
    train: EncodedSplit
    validation: EncodedSplit
    test: EncodedSplit
    id: str
    max_length: int
    notes: tuple[str, ...]
    path: Path


@dataclass(frozen=True)
class Meta:
    """What meta.json says of an encoded task.

    `task` is written without the facts of the table, which are looked up on opening; `files` are sizes in bytes.
    """

    format: str
    task: Task
    id: str
    max_length: int
    tokenizer: str
    notes: tuple[str, ...]
    files: dict[str, int]


def encoded_id(task: Task, splits: Mapping[str, EncodedSplit]) -> str:
    """SHA-256 over kind, labels, and the type, length and bytes of every array."""
    parts: list[str | bytes] = [task.kind, *(task.labels or ())]
    for name, split in splits.items():
        for array, dtype in ARRAYS.items():
            values = np.ascontiguousarray(getattr(split, array), dtype=dtype or None)
            parts += [name, array, values.dtype.str, str(len(values)), values.tobytes()]
    return content_id(FORMAT, *parts)


def array_file(split: str, array: str) -> str:
    """Name of the file of one array."""
    return f"{split}.{array}.npy"


def open_encoded(path: Path) -> EncodedTask:
    """Open an encoded task, memory-mapped.

    Raises:
        InputError: A file is missing, or not of the size it was written with.
    """
    meta = _read_meta(path)
    for name, size in meta.files.items():
        file = path / name
        found = file.stat().st_size if file.is_file() else None
        if found != size:
            raise InputError(
                "missing file" if found is None else "truncated file",
                where=str(file),
                expected=f"{size:,} bytes",
                found="" if found is None else f"{found:,} bytes",
                fix=f"delete {path} to have it encoded again",
            )
    train, validation, test = (
        EncodedSplit(**{array: _map(path / array_file(split, array)) for array in ARRAYS}) for split in SPLITS
    )
    known = TASKS.get(meta.task.name)
    task = meta.task if known is None else replace(known, labels=meta.task.labels, ceiling=meta.task.ceiling)
    return EncodedTask(task, train, validation, test, meta.id, meta.max_length, meta.notes, path)


def _map(file: Path) -> npt.NDArray[Any]:
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
    except (OSError, ValueError) as error:
        raise InputError(
            "damaged file", where=str(file), found=str(error), fix="have the task encoded again"
        ) from error


def _read_meta(path: Path) -> Meta:
    from pydantic import TypeAdapter, ValidationError

    file = path / META
    try:
        text = file.read_bytes()
        found = json.loads(text).get("format")
        meta = TypeAdapter(Meta).validate_json(text) if found == FORMAT else None
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        raise InputError(
            "no encoded task", where=str(file), found=type(error).__name__, fix="encode it again"
        ) from error
    if meta is None:
        raise InputError("encoded by another version", where=str(file), expected=FORMAT, found=repr(found))
    return meta


def sample(split: EncodedSplit, limit: int | None, seed: int) -> EncodedSplit:
    """At most `limit` rows, drawn by content: independent of row order, in the order of the split.

    A larger sample of the same seed contains the smaller one. None takes all.

    Raises:
        InputError: `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise InputError("not a number of examples", expected="1 or more", found=str(limit))
    if limit is None or limit >= len(split):
        return split
    order = np.lexsort((split.target, _mix(np.asarray(split.keys), seed)))  # equal texts: the target decides
    return split.select(np.sort(order[:limit]))


def _mix(keys: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """The splitmix64 finaliser (Steele et al. 2014, OOPSLA, section 5) of keys and a hashed seed."""
    start = np.uint64(int(content_id("sample", str(seed))[:16], 16))
    mixed = keys ^ start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
