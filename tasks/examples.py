"""Examples of a task as plain data: texts and targets in three splits, with a content id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.content import content_id
from tasks.task import Task
from tasks.unseen import Unseen

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Limits:
    """The maximum number of rows to use of each split. None (default): all rows.

    A source that generates rows need not generate more. A source that reads rows may ignore the limits.

    Attributes:
        train: Limit of the train split.
        test: Limit of the test split.
        validation: Limit of the validation split. None: the limit of the test split.
    """

    train: int | None = None
    test: int | None = None
    validation: int | None = None

    def of(self, split: str) -> int | None:
        """The limit of a split: `train`, `validation` or `test`."""
        if split == "train":
            return self.train
        return self.test if split == "test" or self.validation is None else self.validation


UNLIMITED = Limits()


@dataclass(frozen=True, eq=False)
class Examples:
    """One split of a task.

    Attributes:
        text: The text of each row; the first text of a pair.
        text_b: The second text of each row; None for single texts.
        target: Class indices int64 [n], or scores float32 [n] for regression.
    """

    text: tuple[str, ...]
    text_b: tuple[str, ...] | None
    target: npt.NDArray[np.int64] | npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True, eq=False)
class TaskData:
    """All examples of a task.

    Attributes:
        task: The task, with its `labels`.
        train, validation, test: The three splits.
        notes: Changes to the data as read: derived splits, dropped rows. One sentence each.
        id: SHA-256 content id. Equal ids mean equal kind, labels, texts, targets, splits and row order.
        unseen: Rows of published splits whose label no training row has. Default: none.
    """

    task: Task
    train: Examples
    validation: Examples
    test: Examples
    notes: tuple[str, ...]
    id: str
    unseen: tuple[Unseen, ...] = ()


def task_data(
    task: Task,
    train: Examples,
    validation: Examples,
    test: Examples,
    notes: tuple[str, ...] = (),
    unseen: tuple[Unseen, ...] = (),
) -> TaskData:
    """Combine the splits of a task and compute the content id. The id does not cover `notes` and `unseen`."""
    found = content_id("task data", *_parts(task, (train, validation, test)))
    return TaskData(task, train, validation, test, notes, found, unseen)


def _parts(task: Task, splits: tuple[Examples, ...]) -> Iterator[str | bytes]:
    labels = task.labels or ()
    yield from (task.kind, str(len(labels)), *labels)
    for name, split in zip(SPLITS, splits, strict=True):
        yield from (name, str(len(split)), "single" if split.text_b is None else "pair")
        yield from split.text
        yield from split.text_b or ()
        yield split.target.astype(split.target.dtype.newbyteorder("<")).tobytes()
