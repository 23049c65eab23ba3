"""The registry of tasks, and suites: named lists of tasks in the order of the paper's tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from tasks.errors import InputError, unknown_name
from tasks.houlsby26 import ADDITIONAL17, GLUE9, HOULSBY26
from tasks.task import Task

TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in HOULSBY26})
SUITES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "glue9": tuple(task.name for task in GLUE9),
        "additional17": tuple(task.name for task in ADDITIONAL17),
        "houlsby26": tuple(task.name for task in HOULSBY26),
    }
)
# A name becomes a folder name and part of a hash: letters, digits, _ . - only, so that no name can leave its folder.
TASK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


def check_task_name(name: str) -> str:
    """Return `name` if it can name a task.

    Raises:
        InputError: A character other than letters, digits, `_`, `.`, `-`, or a leading dot or dash.
    """
    if TASK_NAME.fullmatch(name) is None:
        raise InputError(
            "not a task name", expected="letters, digits, '_', '.' and '-', no leading dot or dash", found=repr(name)
        )
    return name


def paper_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort task names: those of the paper first, in its order, then the others by name."""
    rank = {name: position for position, name in enumerate(TASKS)}
    return tuple(sorted(set(names), key=lambda name: (rank.get(name, len(rank)), name)))


def resolve_suite(
    text: str, source_names: Iterable[str] = (), draw: Callable[[str], tuple[str, ...]] | None = None
) -> tuple[str, tuple[str, ...]]:
    """Read a suite: the name of one, a comma list of task (or suite) names, or `all` tasks of a source.

    Args:
        text: What the user wrote.
        source_names: The tasks the source has; those that the table does not know are tasks of their own.
        draw: Names of the tasks that the source makes for a part of the text, () if it makes none of it.

    Returns:
        The name of the suite (a comma list is its own name) and its task names.

    Raises:
        InputError: An unknown or malformed name, a task named twice, or nothing at all.
    """
    available = tuple(source_names)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts == ["all"]:
        if not available:
            raise InputError("the source has no task, so `all` names none", where="suite")
        return "all", paper_order(available)
    names: list[str] = []
    for part in parts:
        if part in SUITES:
            names += SUITES[part]
        elif part in TASKS or part in available:
            names.append(part)
        elif draw is not None and (drawn := draw(part)):
            names += drawn
        elif part.startswith("simulated:"):
            raise InputError(
                "only the simulated source draws fresh tasks", where=f"suite {part}", fix="give --source simulated"
            )
        else:
            check_task_name(part)
            raise unknown_name("task", part, {*TASKS, *SUITES, "all", *available}, where="suite")
    if not names:
        raise InputError(
            "empty suite", where="suite", expected=f"{', '.join(SUITES)}, all, or task names joined by commas"
        )
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"task {twice!r} is named twice", where="suite", fix="name every task once")
    return ",".join(parts), tuple(names)
