"""Encoded rows as an Avalanche 0.6 data set of dicts, and the function that makes a minibatch of rows.

For Avalanche, a regression is a task with one class; it uses this for the size of heads and the balance of memories.
The minibatch has the scores, in the task's own scale. A minibatch of replay may mix classification and regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from stream.avalanche.inputs import Inputs
from stream.avalanche.library import (
    ConstantSequence,
    DataAttribute,
    TaskAwareSupervisedClassificationDataset,
    TaskLabels,
)
from tasks.encoded import EncodedSplit
from tasks.task import Task

Row = dict[str, Any]
TASK_LABEL = "targets_task_labels"  # Avalanche's key of the task label in a row
LENGTHS = "lengths"  # attribute of a data set: number of tokens of each row, known without making the rows


class Rows(Dataset[Row]):
    """The rows of a split. Each access returns a new dict, because Avalanche writes into it."""

    def __init__(self, split: EncodedSplit) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> Row:
        """Returns inputs int64 [S], and `labels`: the class (an int) or the score (a float)."""
        tokens = slice(*self.split.offsets[index : index + 2])
        ids = torch.from_numpy(self.split.ids[tokens].astype(np.int64))
        types = torch.from_numpy(self.split.types[tokens].astype(np.int64))
        label = self.split.target[index].item()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": types, "labels": label}


@dataclass(frozen=True)
class Collate:
    """Makes a minibatch of rows. Avalanche joins data sets only if their collate functions are equal (same padding)."""

    pad_id: int

    def __call__(self, rows: Sequence[Row]) -> list[Inputs | Tensor]:
        """Makes a minibatch, padded to the longest row.

        Returns:
            Inputs [B, S]; classes int64 [B], or float32 [B] if a row has a score; task labels int64 [B]; then the
            values that a strategy added to all rows, such as logits, in the order of their keys.
        """
        fills = {"input_ids": self.pad_id, "attention_mask": 0, "token_type_ids": 0}
        tensors = {
            name: pad_sequence([row[name] for row in rows], batch_first=True, padding_value=fill)
            for name, fill in fills.items()
        }
        labels, tasks = (torch.tensor([row[key] for row in rows]) for key in ("labels", TASK_LABEL))
        written = [key for key in rows[0] if key not in (*fills, "labels", TASK_LABEL)]
        more = [torch.stack([torch.as_tensor(row[key]) for row in rows]) for key in written]
        return [Inputs(tensors, fills), labels, tasks, *more]


def avalanche_dataset(
    split: EncodedSplit, task: Task, label: int, pad_id: int
) -> TaskAwareSupervisedClassificationDataset:
    """Returns a split as an Avalanche data set.

    Args:
        label: Task label of all rows.
        pad_id: Token id for padding.
    """
    classes = [0] * len(split) if task.kind == "regression" else np.asarray(split.target).tolist()
    return TaskAwareSupervisedClassificationDataset(
        [Rows(split)],
        data_attributes=[
            DataAttribute(classes, "targets"),
            DataAttribute(split.lengths.tolist(), LENGTHS),
            TaskLabels(ConstantSequence(label, len(split))),
        ],
        collate_fn=Collate(pad_id),
    )
