"""Tokenise a task once per (source content, tokenizer, length) and keep it as memory-mapped arrays."""

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
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BATCH = 1000  # rows a call: enough for the tokenizer's threads, little memory
BATCH_TEXT = 1_000_000  # characters a call: a tokenizer keeps some 50 bytes for each until it has cut the rows
ABANDONED = 24 * 3600  # seconds after which a half-written entry is nobody's: to write one takes minutes at most
KEY_SEED = 0  # the keys identify content; samples mix in their own seed


def encode(
    source: Source,
    name: str,
    tokenizer: PreTrainedTokenizerBase,
    tokenizer_id: str,
    max_length: int,
    cache: Path,
    limits: Limits = UNLIMITED,
) -> EncodedTask:
    """The tokenised task, from the cache if it was encoded before; a damaged cache entry is encoded again.

    Args:
        source: Where the task comes from; not read if the cache has the task.
        name: Name of the task.
        tokenizer: Any Hugging Face fast tokenizer; padding and truncation stored in it do not matter.
        tokenizer_id: Content id of the tokenizer, part of the cache key.
        max_length: Tokens a row may have, special tokens included; of pairs the longer text is cut first.
        cache: Folder of encoded tasks, shared by all runs; entries appear at once or not at all.
        limits: Rows that will be used; a source that makes its rows makes no more.

    Raises:
        InputError: Something is wrong with the source, `max_length`, or a row of no token.
    """
    key = content_id(FORMAT, name, source.fingerprint(name, limits), tokenizer_id, str(max_length))
    path = cache / f"{name[:100]}-{key[:24]}"  # file systems take names of 255 bytes
    if path.is_dir():
        try:
            known = open_encoded(path)
            if encoded_id(known.task, {split: getattr(known, split) for split in SPLITS}) == known.id:
                return known
        except InputError:
            pass
        shutil.rmtree(path)
    least = tokenizer.num_special_tokens_to_add(pair=True)
    if max_length <= least:
        raise InputError("maximum length too small", expected=f"more than {least} tokens", found=str(max_length))
    data = source.load(name, limits)
    splits = {split: encode_split(getattr(data, split), tokenizer, max_length, name) for split in SPLITS}
    task = replace(data.task, paper=None, hub=None)
    meta = Meta(FORMAT, task, encoded_id(data.task, splits), max_length, tokenizer_id, data.notes, {}, {})
    cache.mkdir(parents=True, exist_ok=True)
    _write(path, meta, splits)
    return open_encoded(path)


def encode_split(examples: Examples, tokenizer: PreTrainedTokenizerBase, max_length: int, task: str) -> EncodedSplit:
    """The rows of a split as the tokenizer makes them, cut to `max_length` tokens.

    Args:
        task: Its name, for messages.

    Raises:
        InputError: The tokenizer cannot read a text, or makes no token of it.
    """
    ids: list[np.ndarray] = []
    types: list[np.ndarray] = []
    lengths: list[int] = []
    for start, stop in _batches(examples):
        try:
            batch = tokenizer(
                list(examples.text[start:stop]),
                None if examples.text_b is None else list(examples.text_b[start:stop]),
                padding=False,
                truncation="longest_first",
                max_length=max_length,
                return_attention_mask=False,
            )
        except Exception as error:  # the only class that the tokenizers library raises
            where, found = f"task {task}", " ".join(str(error).split())[:120]
            raise InputError("the tokenizer cannot read its texts", where=where, found=found) from error
        rows = batch["input_ids"]
        lengths += [len(row) for row in rows]
        ids.append(np.concatenate([np.asarray(row, np.int32) for row in rows]))
        if "token_type_ids" in batch:
            types.append(np.concatenate([np.asarray(row, np.uint8) for row in batch["token_type_ids"]]))
        else:
            types.append(np.zeros(len(ids[-1]), np.uint8))
    if 0 in lengths:
        raise InputError(
            "the tokenizer makes no token of a text",
            where=f"task {task}",
            found=repr(examples.text[lengths.index(0)][:40]),
            fix="use a tokenizer that adds special tokens",
        )
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    keys = row_keys(examples.text, examples.text_b, KEY_SEED)
    return EncodedSplit(np.concatenate(ids), np.concatenate(types), offsets, examples.target, keys)


def _batches(examples: Examples) -> Iterator[tuple[int, int]]:
    """First and last row (exclusive) of the batches that go to the tokenizer: few rows, and few characters."""
    start = size = 0
    for row, text in enumerate(examples.text):
        length = len(text) + (len(examples.text_b[row]) if examples.text_b is not None else 0)
        if row > start and (row - start == BATCH or size + length > BATCH_TEXT):
            yield start, row
            start, size = row, 0
        size += length
    yield start, len(examples)


def _sweep(cache: Path) -> None:
    """Remove what encodings that crashed have left; another process may be doing the same."""
    for leftover in cache.glob(".encoding-*"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > ABANDONED:
                shutil.rmtree(leftover, ignore_errors=True)


def _write(path: Path, meta: Meta, splits: dict[str, EncodedSplit]) -> None:
    """Write everything into a folder beside `path`, then rename it: a crash leaves no half-written entry."""
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
            if not path.is_dir():  # otherwise another process encoded the same task meanwhile
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)
