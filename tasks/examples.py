"""Examples of a task as plain data: texts, targets, and the three splits with their content id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.content import content_id
from tasks.task import Task

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Limits:
    """How many rows of each split will be used at most; None uses all.

    A source that makes its rows need not make more; one that reads them may ignore it.
    """

    train: int | None = None
    test: int | None = None
    validation: int | None = None  # None: as `test`

    def of(self, split: str) -> int | None:
        """The limit of one split."""
        if split == "train":
            return self.train
        return self.test if split == "test" or self.validation is None else self.validation


UNLIMITED = Limits()


@dataclass(frozen=True, eq=False)
class Examples:
    """One split of a task.

    Attributes:
        text: The (first) text of every row.
        text_b: The second text of every row, None for single texts.
        target: Class indices int64 [n], or scores float32 [n] for regression.
    """

    text: tuple[str, ...]
    text_b: tuple[str, ...] | None
    target: npt.NDArray[np.int64] | npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True, eq=False)
class TaskData:
    """The examples of a task; equal `id` means equal labels, rows, targets, splits and row order.

    Attributes:
        task: The task with `labels` resolved.
        notes: What was derived or dropped on the way from the files, in plain sentences.
        id: SHA-256 content id.
    """

    task: Task
    train: Examples
    validation: Examples
    test: Examples
    notes: tuple[str, ...]
    id: str


def task_data(
    task: Task, train: Examples, validation: Examples, test: Examples, notes: tuple[str, ...] = ()
) -> TaskData:
    """Put the splits of a task together and compute their content id; the notes are no part of it."""
    return TaskData(
        task, train, validation, test, notes, content_id("task data", *_parts(task, (train, validation, test)))
    )


def _parts(task: Task, splits: tuple[Examples, ...]) -> Iterator[str | bytes]:
    labels = task.labels or ()
    yield from (task.kind, str(len(labels)), *labels)
    for name, split in zip(SPLITS, splits, strict=True):
        yield from (name, str(len(split)), "single" if split.text_b is None else "pair")
        yield from split.text
        yield from split.text_b or ()
        yield split.target.astype(split.target.dtype.newbyteorder("<")).tobytes()
