"""Which of the columns label and score is the target of a task, if the column mapping says so."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.sources.mapping import UNIQUE
from tasks.suite import TASKS, known_name

TARGETS = ("label", "score")


def chosen_target(name: str, columns: Mapping[str, str]) -> str:
    """The target that the column mapping chooses: `label`, `score`, or "" if it leaves the choice to the columns.

    The target is the column that the mapping names, also if it maps it to an equal name: {"mine.label": "label"}. The
    task's own mapping counts before that for all tasks. A known task with classes has labels whatever the mapping says;
    a known regression for which the mapping names both columns has scores.

    Args:
        name: Name of the task.
        columns: The column mapping, as in `FolderSource`.
    """
    known = TASKS.get(name)
    if known is not None and known.kind != "regression":
        return "label"
    split = [key.rpartition(".") for key in columns]
    for own in (True, False):
        mapped = {column for task, _, column in split if (known_name(task) == name if own else not task)}
        named = {"label" if column == UNIQUE else column for column in mapped} & set(TARGETS)
        if named:
            both = "score" if known is not None else ""
            return both if len(named) > 1 else named.pop()
    return ""


def how_to_choose(name: str, columns: Mapping[str, str]) -> str:
    """What a user can do about a new task with both columns, for a message.

    Args:
        columns: Our column name -> the column name in the files of this task.
    """
    label, score = (f"--column {name}.{ours}={columns.get(ours, ours)}" for ours in TARGETS)
    return f"give {label} to predict classes, or {score} for a regression"
