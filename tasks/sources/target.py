"""Which column is the target of a new task whose data have a label and a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tasks.errors import InputError
from tasks.rows import Rows
from tasks.suite import TASKS

TARGETS = ("label", "score")


def with_one_target(name: str, rows: Rows, columns: Mapping[str, str], where: str) -> Rows:
    """The rows of a new task without the column that is not its target.

    The target is the column that the mapping names, also if it maps it to an equal name: {"mine.label": "label"}. The
    task's own mapping counts before that for all tasks. A known task has a known target, so its rows do not change.

    Args:
        name: Name of the task.
        rows: Its rows; they may have a label and a score.
        columns: The column mapping, as in `FolderSource`.
        where: File or folder, for messages.

    Raises:
        InputError: The rows have both, and the mapping names neither or both.
    """
    if name in TASKS or rows.label is None or rows.score is None:
        return rows
    for prefix in (f"{name}.", ""):
        mapped = [column for column in TARGETS if prefix + column in columns]
        if len(mapped) == 1:
            return replace(rows, score=None) if mapped == ["label"] else replace(rows, label=None)
        if mapped:
            break
    label, score = (
        f"--column {name}.{ours}={columns.get(f'{name}.{ours}', columns.get(ours, ours))}" for ours in TARGETS
    )
    raise InputError(
        "both a label and a score: which one is the target?",
        where=where,
        fix=f"give {label} to predict classes, or {score} for a regression",
    )
