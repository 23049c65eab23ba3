"""Labels that validation or test rows have and no training row has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.errors import InputError
from tasks.splits import NAMES, TEST, TRAIN, VALIDATION

TOLD = 5  # labels that a note or an error shows


@dataclass(frozen=True)
class Unseen:
    """The rows of a split whose label no training row has.

    Attributes:
        split: `validation` or `test`.
        labels: Their labels.
        rows: Their number.
        of: Number of all rows of the split.
    """

    split: str
    labels: tuple[str, ...]
    rows: int
    of: int

    @property
    def note(self) -> str:
        """One sentence for the notes of the task."""
        label = "label" if len(self.labels) == 1 else "labels"
        return (
            f"{self.rows} of {self.of} {self.split} rows (before limits) stay and count as wrong: "
            f"no training row has their {label} {self.shown}"
        )

    @property
    def shown(self) -> str:
        """The first labels, in quotes, for a message."""
        more = f" and {len(self.labels) - TOLD} more" if len(self.labels) > TOLD else ""
        return ", ".join(map(repr, self.labels[:TOLD])) + more


def find_unseen(
    splits: npt.NDArray[np.int8], classes: npt.NDArray[np.int64], labels: Sequence[str]
) -> tuple[Unseen, ...]:
    """The validation and test rows whose label no training row has.

    Args:
        splits: Split of each row, [n].
        classes: Class index of each row, [n].
        labels: Name of each class.

    Returns:
        One entry per split that has such rows.
    """
    lacking = ~np.isin(classes, classes[splits == TRAIN])
    found = []
    for split in (VALIDATION, TEST):
        rows = classes[lacking & (splits == split)]
        if len(rows):
            names = tuple(labels[index] for index in np.unique(rows))
            found.append(Unseen(NAMES[split], names, len(rows), int(np.sum(splits == split))))
    return tuple(found)


def refuse_unseen(task: str, unseen: Sequence[Unseen]) -> None:
    """Refuse a task with such rows, for a run with `--unseen-labels refuse`.

    Args:
        task: Name of the task.
        unseen: What `find_unseen` returned for it.

    Raises:
        InputError: There are such rows.
    """
    if unseen:
        raise InputError(
            "labels occur in validation or test but never in train",
            where=f"task {task}",
            expected="every label in train, because of --unseen-labels refuse",
            found="; ".join(f"{entry.shown} in {entry.rows} of {entry.of} {entry.split} rows" for entry in unseen),
            fix="drop those rows, or give --unseen-labels keep, so that they count as wrong",
        )
