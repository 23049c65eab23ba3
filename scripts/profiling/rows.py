"""A task of random token ids, which needs no tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasks.encoded import EncodedSplit, EncodedTask
from tasks.task import Task

LABELS = ("no", "yes")
FIRST = 5  # the ids below are special tokens in most vocabularies


def random_task(vocabulary: int, train: int, test: int, length: int) -> EncodedTask:
    """A task with two classes and one validation row. A row has between three quarters of `length` and `length`
    tokens, so that batches have some padding."""
    random = np.random.default_rng(0)
    train_rows, validation_rows, test_rows = (
        _split(random, vocabulary, count, length) for count in (train, 1, test)
    )  # fmt: skip
    task = Task(name="random", title="random tokens", kind="single", metric="accuracy", labels=LABELS)
    return EncodedTask(task, train_rows, validation_rows, test_rows, "random", length, (), Path())


def _split(random: np.random.Generator, vocabulary: int, rows: int, length: int) -> EncodedSplit:
    lengths = random.integers(-(-3 * length // 4), length + 1, rows)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = random.integers(min(FIRST, vocabulary - 1), vocabulary, offsets[-1]).astype(np.int32)
    target = random.integers(0, len(LABELS), rows).astype(np.int64)
    keys = np.arange(rows, dtype=np.uint64)
    return EncodedSplit(ids, np.zeros(len(ids), dtype=np.uint8), offsets, target, keys)
