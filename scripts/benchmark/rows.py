"""The same tokenised rows for all contenders: as the engine opens them, and as lists of dicts for other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tasks.encoded import EncodedSplit, EncodedTask, open_encoded, sample
from tasks.seeds import seed_of
from tasks.task import Task

LEVELS = 6  # classes of a regression, scores rounded to 0 to 5 (STS-B): the other libraries' classifiers need classes
Row = dict[str, Any]


def opened(path: str, train: int, test: int, seed: int = 0) -> EncodedTask:
    """An encoded task with at most `train` training rows, and `test` validation and test rows, of the engine."""
    task = open_encoded(Path(path))
    name, limits = task.task.name, {"train": train, "validation": test, "test": test}
    train_rows, validation_rows, test_rows = (
        sample(getattr(task, split), limit, seed_of(seed, name, "sample", split)) for split, limit in limits.items()
    )
    return replace(task, train=train_rows, validation=validation_rows, test=test_rows)


def classes(task: Task) -> int:
    """Number of classes of a task for the other libraries."""
    return LEVELS if task.kind == "regression" else task.outputs


def rows(split: EncodedSplit) -> list[Row]:
    """Rows as plain lists, as a tokenizer returns them, with their class in `labels`."""
    found = []
    for start, stop, target in zip(split.offsets[:-1], split.offsets[1:], split.target, strict=True):
        label = int(target) if split.target.dtype.kind == "i" else min(max(round(float(target)), 0), LEVELS - 1)
        ids, types = split.ids[start:stop].tolist(), split.types[start:stop].tolist()
        found.append({"input_ids": ids, "token_type_ids": types, "attention_mask": [1] * len(ids), "labels": label})
    return found


def padded(batch: Sequence[Row], pad_id: int) -> dict[str, Tensor]:
    """Inputs of a model [B, S], padded to the longest row of the batch, and `labels` [B]."""
    fills = {"input_ids": pad_id, "token_type_ids": 0, "attention_mask": 0}
    inputs = {
        key: pad_sequence([torch.tensor(row[key]) for row in batch], batch_first=True, padding_value=fill)
        for key, fill in fills.items()
    }
    return {**inputs, "labels": torch.tensor([row["labels"] for row in batch])}
