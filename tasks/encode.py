"""Tokenise a task, once per (source content, tokenizer, maximum length), and cache it as memory-mapped arrays."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.content import content_id
from tasks.encoded import (
    ARRAYS,
    FORMAT,
    META,
    EncodedSplit,
    EncodedTask,
    Meta,
    array_file,
    encoded_id,
    meta_text,
    open_encoded,
)
from tasks.errors import InputError
from tasks.examples import SPLITS, UNLIMITED, Examples, Limits
from tasks.files import sync_folder
from tasks.keys import row_keys
from tasks.sources import Source
from tasks.tokenizer import Tokenizer, tokenise

BATCH = 1000  # rows per call of the tokenizer: enough for its threads, and little memory
BATCH_TEXT = 1_000_000  # characters per call: a tokenizer needs about 50 bytes for each until it cuts the rows
ABANDONED = 24 * 3600  # seconds after which an unfinished entry is deleted; writing one takes only minutes
KEY_SEED = 0  # constant, because keys identify content; samples mix in their own seed


def encode(
    source: Source,
    name: str,
    tokenizer: Tokenizer,
    tokenizer_id: str,
    max_length: int,
    cache: Path,
    limits: Limits = UNLIMITED,
) -> EncodedTask:
    """Tokenise a task, or take it from the cache. A damaged cache entry is encoded again.

    Args:
        source: The source of the task. Not read if the cache has the task.
        name: Name of the task.
        tokenizer: The tokenizer. Its own padding and truncation settings have no effect.
        tokenizer_id: Content id of the tokenizer, part of the cache key.
        max_length: Maximum number of tokens of a row, special tokens included. In a pair, the longer text is cut first.
        cache: Folder of encoded tasks, shared by all runs. Entries are written atomically.
        limits: Maximum numbers of rows to use. A source that generates rows generates no more. Default: no limits.

    Raises:
        InputError: The source is not valid, `max_length` is too small, or a row has no tokens.
    """
    path = _entry(source, name, tokenizer_id, max_length, cache, limits)
    if (found := _taken(path)) is not None:
        return found
    if path.is_dir():
        shutil.rmtree(path)
    least = tokenizer.special_tokens(pair=True)
    if max_length <= least:
        raise InputError("maximum length too small", expected=f"more than {least} tokens", found=str(max_length))
    data = source.load(name, limits)
    splits = {split: encode_split(getattr(data, split), tokenizer, max_length, name) for split in SPLITS}
    task = replace(data.task, paper=None, hub=None)
    meta = Meta(FORMAT, task, encoded_id(data.task, splits), max_length, tokenizer_id, data.notes, {}, {}, data.unseen)
    cache.mkdir(parents=True, exist_ok=True)
    _write(path, meta, splits)
    return open_encoded(path)


def encoded_before(
    source: Source, name: str, tokenizer_id: str, max_length: int, cache: Path, limits: Limits = UNLIMITED
) -> EncodedTask | None:
    """A task from the cache, as `encode` would take it; None if the cache lacks it or it is damaged.

    Needs no tokenizer. Arguments as for `encode`.
    """
    return _taken(_entry(source, name, tokenizer_id, max_length, cache, limits))


def _entry(source: Source, name: str, tokenizer_id: str, max_length: int, cache: Path, limits: Limits) -> Path:
    """The folder of a task in the cache."""
    key = content_id(FORMAT, name, source.fingerprint(name, limits), tokenizer_id, str(max_length))
    return cache / f"{name[:100]}-{key[:24]}"  # file systems limit names to 255 bytes


def _taken(path: Path) -> EncodedTask | None:
    """The task in a folder of the cache, every byte checked; None if it is missing or damaged."""
    if not path.is_dir():
        return None
    try:
        cached = open_encoded(path)
    except InputError:
        return None
    intact = encoded_id(cached.task, {split: getattr(cached, split) for split in SPLITS}) == cached.id
    return cached if intact else None


def encode_split(examples: Examples, tokenizer: Tokenizer, max_length: int, task: str) -> EncodedSplit:
    """Tokenise the rows of a split and cut each to `max_length` tokens, special tokens included.

    Args:
        task: Name of the task, for messages.

    Raises:
        InputError: The tokenizer cannot read a text, or gives no tokens for it.
    """
    ids: list[np.ndarray] = []
    types: list[np.ndarray] = []
    lengths: list[int] = []
    for start, stop in _batches(examples):
        try:
            text_b = None if examples.text_b is None else examples.text_b[start:stop]
            rows = tokenise(tokenizer, examples.text[start:stop], text_b, max_length)
        except Exception as error:  # the tokenizers library raises no other class
            where, found = f"task {task}", " ".join(str(error).split())[:120]
            raise InputError("the tokenizer cannot read its texts", where=where, found=found) from error
        lengths += [len(row) for row in rows]
        ids.append(np.concatenate([np.asarray(row.ids, np.int32) for row in rows]))
        if tokenizer.typed:
            types.append(np.concatenate([np.asarray(row.type_ids, np.uint8) for row in rows]))
        else:
            types.append(np.zeros(len(ids[-1]), np.uint8))
    if 0 in lengths:
        raise InputError(
            "the tokenizer gives no tokens for a text",
            where=f"task {task}",
            found=repr(examples.text[lengths.index(0)][:40]),
            fix="use a tokenizer that adds special tokens",
        )
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    keys = row_keys(examples.text, examples.text_b, KEY_SEED)
    return EncodedSplit(np.concatenate(ids), np.concatenate(types), offsets, examples.target, keys)


def _batches(examples: Examples) -> Iterator[tuple[int, int]]:
    """Row ranges [first, last) for single calls of the tokenizer, limited in rows and characters."""
    start = size = 0
    for row, text in enumerate(examples.text):
        length = len(text) + (len(examples.text_b[row]) if examples.text_b is not None else 0)
        if row > start and (row - start == BATCH or size + length > BATCH_TEXT):
            yield start, row
            start, size = row, 0
        size += length
    yield start, len(examples)


def _sweep(cache: Path) -> None:
    """Delete unfinished entries of crashed processes. Another process may do the same at the same time."""
    for leftover in cache.glob(".encoding-*"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > ABANDONED:
                shutil.rmtree(leftover, ignore_errors=True)


def _write(path: Path, meta: Meta, splits: dict[str, EncodedSplit]) -> None:
    """Write an entry into a temporary folder, then rename it to `path`, so that a crash leaves no partial entry.

    Fills in `meta.files` and `meta.digests`.
    """
    from pydantic import TypeAdapter

    _sweep(path.parent)
    temporary = Path(tempfile.mkdtemp(prefix=".encoding-", dir=path.parent))
    try:
        for split in SPLITS:
            for array, dtype in ARRAYS.items():
                name = array_file(split, array)
                with (temporary / name).open("w+b") as file:
                    np.save(file, np.ascontiguousarray(getattr(splits[split], array), dtype=dtype or None))
                    file.flush()
                    os.fsync(file.fileno())
                    meta.files[name] = file.tell()
                    file.seek(0)
                    meta.digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
        with (temporary / META).open("wb") as file:
            file.write(meta_text(TypeAdapter(Meta).dump_python(meta, mode="json")).encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():  # otherwise another process has encoded the same task
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)
