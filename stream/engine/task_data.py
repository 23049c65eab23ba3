"""Facts about the encoded data of a run's tasks, and of their simulated twins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.encoded import EncodedTask
from tasks.errors import InputError, InputErrors
from tasks.examples import SPLITS
from tasks.sources import Source, generated, open_source
from tasks.task import Task


@dataclass(frozen=True)
class TaskData:
    """Facts about an encoded task that stay in memory after its files are closed. A process may open fewer files than a
    stream has tasks.

    Attributes:
        task: The task.
        id: Content id of its data.
        path: Folder of its encoded arrays.
        train, validation, test: Number of rows of each split, before limits.
        notes: Notes about its data, for the results.
    """

    task: Task
    id: str
    path: Path
    train: int
    validation: int
    test: int
    notes: tuple[str, ...]


def facts_about(task: EncodedTask) -> TaskData:
    """Returns the facts about an encoded task."""
    train, validation, test = (len(getattr(task, split)) for split in SPLITS)
    return TaskData(task.task, task.id, task.path, train, validation, test, task.notes)


def twins_of(source: Source, tasks: Sequence[str]) -> Source:
    """Returns the simulated source, which has a twin of each task.

    Raises:
        InputErrors: Tasks without a twin, or tasks that are simulated themselves.
    """
    simulated = open_source("simulated", {})
    names, errors = set(simulated.names()), []
    for task in tasks:
        if generated(source, task):
            what, fix = "this task is simulated: it has no other twin", "give scope=task"
            errors.append(InputError(what, where=f"scope=twin, task {task}", fix=fix))
        elif task not in names:
            fix = "give scope=task, or leave the task out"
            errors.append(InputError("this task has no simulated twin", where=f"scope=twin, task {task}", fix=fix))
    if errors:
        raise InputErrors(errors)
    return simulated
