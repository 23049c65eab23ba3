"""Notes on the data of tasks, as lines for readers: equal notes of several tasks are one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MANY = 50  # tasks; of a note that more tasks share, the first ones are named


def data_notes(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns one line per different note, with the tasks that have it.

    Args:
        notes: Notes of each task, by name.
    """
    tasks: dict[str, list[str]] = {}
    for task, texts in notes.items():
        for text in dict.fromkeys(texts):
            tasks.setdefault(text, []).append(task)
    return [f"{_listed(names)}: {text}" for text, names in tasks.items()]


def _listed(names: Sequence[str]) -> str:
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} more tasks"
