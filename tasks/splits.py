"""Assign rows to train, validation and test.

Published splits do not change. Missing splits are derived from a hash of the texts of each row (`keys.row_keys`). So
the result does not depend on row order, label or task. Rows with equal texts are always in the same derived split, also
across tasks. The proportions 80/10/10 are those of Houlsby et al. (2019), Table 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.errors import InputError

TRAIN, VALIDATION, TEST = 0, 1, 2
NAMES = ("train", "validation", "test")
SPELLINGS = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "eval", "evaluation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "tst"), TEST),
}
Assignment = npt.NDArray[np.int8]  # [n]: TRAIN, VALIDATION or TEST per row


def read_splits(values: Sequence[str], number: Sequence[int], where: str) -> Assignment:
    """Turn the values of a split column into an assignment. Accepts the names in `SPELLINGS`, in any case.

    Args:
        values: One value per row, [n].
        number: Number of each row in its file, for messages, [n].
        where: The file, for messages.

    Raises:
        InputError: A value is unknown. The message gives its row.
    """
    codes = {value: SPELLINGS.get(value.strip().lower()) for value in set(values)}
    for row, value in zip(number, values, strict=True):
        if codes[value] is None:
            raise InputError(
                f"unknown split in row {row}",
                where=where,
                expected="train, validation (dev, val, eval) or test",
                found=repr(value),
            )
    return np.array([codes[value] for value in values], dtype=np.int8)


def assign_splits(
    keys: npt.NDArray[np.uint64],
    published: Assignment | None,
    classes: npt.NDArray[np.int64] | None,
    *,
    where: str,
) -> tuple[Assignment, tuple[str, ...]]:
    """Derive the missing splits of a task.

    Without published splits, rows are divided 80/10/10. Without a test split, validation becomes test. Without a
    validation split, 10 % of train becomes validation. Each label of a derived split occurs in train; a published split
    may have labels that train lacks.

    Args:
        keys: Content key of each row, uint64 [n].
        published: The published splits; None if there are none.
        classes: Class index of each row, int64 [n]; None for regression.
        where: File or task, for messages.

    Returns:
        The assignment, and a sentence about each derived split.

    Raises:
        InputError: There is no train split, or a split is empty.
    """
    have = {TRAIN} if published is None else set(np.unique(published).tolist())
    if TRAIN not in have:
        raise InputError(
            "no train split", where=where, expected="rows of train", found=" and ".join(NAMES[s] for s in sorted(have))
        )
    result = np.full(len(keys), TRAIN, np.int8) if published is None else published.copy()
    notes: list[str] = []
    position = keys / 2.0**64  # uniform in [0, 1]
    if have == {TRAIN}:
        result[position >= 0.8] = VALIDATION
        result[position >= 0.9] = TEST
        derived: tuple[int, ...] = (VALIDATION, TEST)
        notes.append("no published split: train, validation and test are 80, 10 and 10 % by content hash")
    elif have == {TRAIN, VALIDATION, TEST}:
        return result, ()
    else:
        if TEST not in have:
            result[result == VALIDATION] = TEST
            notes.append("no labelled test split: the validation split is the test set")
        result[(result == TRAIN) & (position >= 0.9)] = VALIDATION
        derived = (VALIDATION,)
        notes.append("validation: 10 % of train by content hash")
    if classes is not None:
        notes += _return_rare_labels(result, keys, classes, derived)
    notes += _fill_empty(result, keys, classes, derived)
    for split, name in enumerate(NAMES):
        if not np.any(result == split):
            raise InputError(
                f"the {name} split is empty",
                where=where,
                found=f"{len(keys)} rows",
                fix="give more rows, or a split column",
            )
    return result, tuple(notes)


def _return_rare_labels(
    splits: Assignment, keys: npt.NDArray[np.uint64], classes: npt.NDArray[np.int64], derived: Sequence[int]
) -> list[str]:
    """Ensure that train has each label: for a missing label, move the group of equal texts with the smallest hash."""
    out = np.isin(splits, derived)
    rare = np.setdiff1d(classes[out], classes[splits == TRAIN])
    moved = 0
    for label in rare:
        if not np.any((splits == TRAIN) & (classes == label)):  # an earlier group may contain this label
            group = out & (keys == keys[out & (classes == label)].min())
            moved += int(np.sum(group & (splits != TRAIN)))
            splits[group] = TRAIN
    return [f"{_count(moved, 'row')} of {_count(len(rare), 'rare label')} moved to train"] if moved else []


def _fill_empty(
    splits: Assignment, keys: npt.NDArray[np.uint64], classes: npt.NDArray[np.int64] | None, derived: Sequence[int]
) -> list[str]:
    """Fill each empty derived split, which small tasks can have, with one group of equal texts from train.

    The group has the largest hash among those without which train still has each label.
    """
    notes = []
    for split in derived:
        if np.any(splits == split):
            continue
        for key in np.unique(keys[splits == TRAIN])[::-1]:
            group, rest = (splits == TRAIN) & (keys == key), (splits == TRAIN) & (keys != key)
            spared = np.any(rest) if classes is None else np.isin(classes[group], classes[rest]).all()
            if spared:
                splits[group] = split
                notes.append(f"{_count(int(group.sum()), 'row')} of train moved to {NAMES[split]}, which was empty")
                break
    return notes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
