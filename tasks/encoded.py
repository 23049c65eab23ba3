"""Tokenised tasks: flat arrays in files.

They are memory-mapped and checked by their size. To read them, neither tokenizer nor source is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.examples import SPLITS
from tasks.suite import TASKS
from tasks.task import Task
from tasks.unseen import Unseen

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = "encoded 1"
META = "meta.json"
ARRAYS: Mapping[str, str] = {"ids": "<i4", "types": "|u1", "offsets": "<i8", "target": "", "keys": "<u8"}
TARGETS = ("<i8", "<f4")  # class indices, or scores


@dataclass(frozen=True, eq=False)
class EncodedSplit:
    """One split of a tokenised task: the tokens of all rows in one array.

    Attributes:
        ids: Token ids, int32 [tokens]. Row r is ids[offsets[r]:offsets[r + 1]].
        types: Token types (segments), uint8 [tokens]. 1 in the second text of a pair, if the tokenizer has token types;
            otherwise 0.
        offsets: Position of the first token of each row, int64 [n + 1].
        target: Class indices int64 [n], or scores float32 [n] for regression.
        keys: Content key of the texts of each row, uint64 [n].
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
        """Number of tokens of each row, int64 [n]."""
        return np.diff(self.offsets)

    def select(self, rows: npt.NDArray[np.integer]) -> EncodedSplit:
        """Copy the rows with these indices [m], in this order, to a new split in memory."""
        lengths = self.lengths[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        tokens = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return EncodedSplit(self.ids[tokens], self.types[tokens], offsets, self.target[rows], self.keys[rows])


def joined(splits: Sequence[EncodedSplit]) -> EncodedSplit:
    """Returns the rows of several splits, in their order, as one split in memory."""
    offsets = np.concatenate(([0], np.cumsum(np.concatenate([split.lengths for split in splits])))).astype(np.int64)
    ids, types, target, keys = (
        np.concatenate([getattr(split, name) for split in splits]) for name in ("ids", "types", "target", "keys")
    )
    return EncodedSplit(ids, types, offsets, target, keys)


@dataclass(frozen=True, eq=False)
class EncodedTask:
    """A tokenised task.

    Attributes:
        task: The task, with its `labels`.
        train, validation, test: The three splits.
        id: SHA-256 content id over labels and all arrays. Equal ids mean equal training and evaluation data.
        max_length: Maximum number of tokens of a row, special tokens included.
        notes: Changes to the data as read: derived splits, dropped rows.
        path: Its folder, from which other processes can open it.
        unseen: Rows of published splits whose label no training row has. Default: none.
    """

    task: Task
    train: EncodedSplit
    validation: EncodedSplit
    test: EncodedSplit
    id: str
    max_length: int
    notes: tuple[str, ...]
    path: Path
    unseen: tuple[Unseen, ...] = ()


@dataclass(frozen=True)
class Meta:
    """The content of meta.json of an encoded task. The file also has a content id of all this, to detect damage.

    Attributes:
        format: Version of the format.
        task: The task without the facts of the table of known tasks, which are added on opening.
        id: Content id of the data.
        max_length: Maximum number of tokens of a row, special tokens included.
        tokenizer: Content id of the tokenizer.
        notes: As in `EncodedTask`.
        files: Size in bytes of each file, by name.
        digests: SHA-256 of each file, by name.
        unseen: As in `EncodedTask`.
    """

    format: str
    task: Task
    id: str
    max_length: int
    tokenizer: str
    notes: tuple[str, ...]
    files: dict[str, int]
    digests: dict[str, str]
    unseen: tuple[Unseen, ...] = ()


def meta_text(meta: Mapping[str, Any]) -> str:
    """The text of meta.json for the values of a `Meta` as plain data."""
    return json.dumps({**meta, "check": content_id("meta", canonical(meta))}, indent=1, ensure_ascii=False) + "\n"


def encoded_id(task: Task, splits: Mapping[str, EncodedSplit]) -> str:
    """SHA-256 over kind, labels, and the type, length and bytes of each array."""
    parts: list[str | bytes] = [task.kind, *(task.labels or ())]
    for name, split in splits.items():
        for array, dtype in ARRAYS.items():
            values = np.ascontiguousarray(getattr(split, array), dtype=dtype or None)
            parts += [name, array, values.dtype.str, str(len(values)), values.tobytes()]
    return content_id(FORMAT, *parts)


def array_file(split: str, array: str) -> str:
    """Name of the file that holds one array of one split."""
    return f"{split}.{array}.npy"


def open_encoded(path: Path) -> EncodedTask:
    """Open an encoded task, memory-mapped.

    Raises:
        InputError: A file is missing, damaged, or has another size than when it was written.
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
                fix=f"delete {path}, then it is encoded again",
            )
    train, validation, test = (
        EncodedSplit(
            **{
                array: _map(path / array_file(split, array), (dtype,) if dtype else TARGETS)
                for array, dtype in ARRAYS.items()
            }
        )
        for split in SPLITS
    )
    known = TASKS.get(meta.task.name)
    task = meta.task if known is None else replace(known, labels=meta.task.labels, ceiling=meta.task.ceiling)
    return EncodedTask(task, train, validation, test, meta.id, meta.max_length, meta.notes, path, meta.unseen)


def check_encoded(path: Path, expected: str | None = None) -> EncodedTask:
    """Open an encoded task and check each byte of it.

    Args:
        expected: Content id that the task must have. Default: None, the id in its meta.json.

    Raises:
        InputError: A file is missing or changed, or the content id does not match.
    """
    meta, known = _read_meta(path), open_encoded(path)
    for name, digest in meta.digests.items():
        with (path / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise InputError("this encoded file changed", where=str(path / name), expected=digest, found=found)
    found = encoded_id(known.task, {split: getattr(known, split) for split in SPLITS})
    if found != known.id or found != (expected or known.id):
        wanted = known.id if found != known.id else str(expected)
        raise InputError("the content id does not match", where=str(path / META), expected=wanted, found=found)
    return known


def _map(file: Path, dtypes: tuple[str, ...]) -> npt.NDArray[Any]:
    try:
        array = np.lib.format.open_memmap(file, mode="r")  # accepts no archive and no pickle
        if array.ndim != 1 or array.dtype.str not in dtypes:
            raise ValueError(f"{array.dtype} {list(array.shape)} instead of a vector of {' or '.join(dtypes)}")
        return array
    except (OSError, ValueError, SyntaxError, EOFError, TokenError) as error:  # TokenError: a damaged header
        fix = f"delete {file.parent}, then the task is encoded again"
        raise InputError("damaged file", where=str(file), found=str(error), fix=fix) from error


@cache
def _reader() -> TypeAdapter[Meta]:
    """The parser of meta.json. Cached, because creating it takes longer than opening a task."""
    from pydantic import TypeAdapter

    return TypeAdapter(Meta)


def _read_meta(path: Path) -> Meta:
    from pydantic import ValidationError

    file = path / META
    try:
        text = file.read_bytes().decode()  # `read_text` would change line ends
        values = json.loads(text)
        found, check = values.get("format"), values.pop("check", None)
        meta = _reader().validate_json(json.dumps(values)) if found == FORMAT else None
        if meta is not None and (check is None or text != meta_text(values)):
            raise ValueError("the check does not match the content")
    except (OSError, ValueError, AttributeError, RecursionError, ValidationError) as error:
        raise InputError(
            "not an encoded task", where=str(file), found=type(error).__name__, fix="encode it again"
        ) from error
    if meta is None:
        raise InputError("encoded by another version", where=str(file), expected=FORMAT, found=repr(found))
    return meta


def sample(split: EncodedSplit, limit: int | None, seed: int) -> EncodedSplit:
    """Draw at most `limit` rows, by their content. They stay in the order of the split.

    The drawn rows do not depend on row order. With the same seed, a larger sample contains each smaller one.

    Args:
        limit: Maximum number of rows; None takes all.
        seed: Seed of the sample.

    Raises:
        InputError: `limit` is less than 1.
    """
    if limit is not None and limit < 1:
        raise InputError("not a number of examples", expected="1 or more", found=str(limit))
    if limit is None or limit >= len(split):
        return split
    order = np.lexsort((split.target, _mix(np.asarray(split.keys), seed)))  # the target decides between equal texts
    return split.select(np.sort(order[:limit]))


def _mix(keys: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """Mix keys with a hashed seed by the finaliser of splitmix64 (Steele et al. 2014, OOPSLA, section 5)."""
    start = np.uint64(int(content_id("sample", str(seed))[:16], 16))
    mixed = keys ^ start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
