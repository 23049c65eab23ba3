"""Encoded rows as Avalanche 0.6 takes them: a data set of dicts, and how they become a minibatch.

To Avalanche a regression is a task of one class, by which it sizes heads and balances memories; its scores, in the
task's own scale, are what a minibatch holds. A minibatch of several tasks, such as replay makes, may mix the two.
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
TASK_LABEL = "targets_task_labels"  # under which Avalanche writes it into a row
LENGTHS = "lengths"  # attribute of a data set: the tokens of every row, so that no row must be made to know them


class Rows(Dataset[Row]):
    """The rows of a split; each is handed out as a new dict, as Avalanche writes into it."""

    def __init__(self, split: EncodedSplit) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> Row:
        """Inputs int64 [S], and as `labels` the class, an int, or the score, a float."""
        tokens = slice(*self.split.offsets[index : index + 2])
        ids = torch.from_numpy(self.split.ids[tokens].astype(np.int64))
        types = torch.from_numpy(self.split.types[tokens].astype(np.int64))
        label = self.split.target[index].item()
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": types, "labels": label}


@dataclass(frozen=True)
class Collate:
    """Rows as a minibatch; equal for equal padding, by which Avalanche tells whether data sets go together."""

    pad_id: int

    def __call__(self, rows: Sequence[Row]) -> list[Inputs | Tensor]:
        """What Avalanche takes, padded to the longest row.

        Returns:
            Inputs [B, S]; classes int64 [B], or float32 [B] where a row has a score; task labels int64 [B]; then what
            a strategy may have written into all rows, such as logits, in its order.
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
    """A split as Avalanche's data set.

    Args:
        label: The task label of all its rows.
        pad_id: Token id that fills rows up.
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
