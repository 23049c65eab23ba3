"""The mapping from our column names to those of a user's files: `text=sentence`; `rte.text_b=second` for one task."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.errors import InputError, unknown_name
from tasks.suite import known_name

COLUMNS = ("text", "text_b", "label", "split", "score")
UNIQUE = "unique_label"  # a label column that is read even if nearly every label occurs once; only ever mapped


def check_mapping(columns: Mapping[str, str]) -> None:
    """Check the names of a mapping.

    Raises:
        InputError: A name is not one of our columns, or the label has two columns.
    """
    for key in columns:
        task, _, column = key.rpartition(".")
        if column not in (*COLUMNS, UNIQUE):
            raise unknown_name("column", column, (*COLUMNS, UNIQUE), where=f"column mapping {key}")
        if column == UNIQUE and f"{task}.label".removeprefix(".") in columns:
            raise InputError("two columns for the label", where=f"column mapping {key}", expected=f"label or {UNIQUE}")


def keys_of(columns: Mapping[str, str], task: str) -> dict[str, str]:
    """The keys of a mapping that hold for a task, by column. Its own (`TASK.column`) replace those for all tasks."""
    keys: dict[str, str] = {}
    for key in sorted(columns, key=lambda key: "." in key):
        prefix, _, column = key.rpartition(".")
        if not prefix or known_name(prefix) == task:
            if column in ("label", UNIQUE):
                keys = {other: ours for other, ours in keys.items() if other not in ("label", UNIQUE)}
            keys[column] = key
    return keys
