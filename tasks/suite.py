"""The table of known tasks, and suites: named lists of tasks in the order of the paper's tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from tasks.errors import InputError, InputErrors, shown, unknown_name
from tasks.houlsby26 import ADDITIONAL17, GLUE9, HOULSBY26, SHARED_TEXTS
from tasks.lm15 import LM5, LM15
from tasks.task import Task

TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in (*HOULSBY26, *LM15)})
SUITES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "glue9": tuple(task.name for task in GLUE9),
        "additional17": tuple(task.name for task in ADDITIONAL17),
        "houlsby26": tuple(task.name for task in HOULSBY26),
        "lm5": tuple(task.name for task in LM5),
        "lm15": tuple(task.name for task in LM15),
    }
)
# A task name is used as a folder name. These characters ensure that it cannot point outside the parent folder.
TASK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


def check_task_name(name: str) -> str:
    """Return `name` if it is a valid task name.

    Raises:
        InputError: It has characters other than letters, digits, `_`, `.`, `-`, or a leading dot or dash.
    """
    if TASK_NAME.fullmatch(name) is None:
        raise InputError(
            "not a task name", expected="letters, digits, '_', '.' and '-', no leading dot or dash", found=repr(name)
        )
    return name


def known_name(name: str) -> str:
    """The name of the known task that is meant by `name`, whatever its capitals (`RTE` means `rte`); else `name`."""
    return name.lower() if name.lower() in TASKS else name


def paper_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sort task names, without duplicates: the paper's tasks first, in its order, then the others by name."""
    rank = {name: position for position, name in enumerate(TASKS)}
    return tuple(sorted(set(names), key=lambda name: (rank.get(name, len(rank)), name)))


def text_groups(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Divide tasks into groups: tasks that share texts are one group, any other task is a group of its own.

    Statistics over tasks take a group as one draw. The groups come in the order of their first tasks.
    """
    group_of = {name: group for group in SHARED_TEXTS for name in group}
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        groups.setdefault(group_of.get(name, (name,)), []).append(name)
    return tuple(map(tuple, groups.values()))


def resolve_suite(
    text: str,
    source_names: Iterable[str] = (),
    draw: Callable[[str], tuple[str, ...]] | None = None,
    only: str = "",
    absent: Callable[[str], str] | None = None,
) -> tuple[str, tuple[str, ...]]:
    """Resolve a suite: a suite name, a list of task or suite names with commas, or `all` (all tasks of the source).

    Names are as the source writes them. Names of known tasks may have other capitals.

    Args:
        text: What the user wrote.
        source_names: Names of the tasks of the source. They may be unknown to the table. Default: none.
        draw: Gives the names of fresh tasks that the source generates for one part of the text; () if it generates
            none. Default: None, the source generates no fresh tasks.
        only: The name of the source, if it has no other tasks than `source_names`. Default: "", it may have others.
        absent: Says what the source has under a name that is no task of it, and why not; "" if nothing. Default: None,
            there is never anything.

    Returns:
        The name of the suite (for a list, the list itself) and its task names.

    Raises:
        InputErrors: All names that are unknown or malformed.
        InputError: A task occurs twice, or the suite is empty.
    """
    available = tuple(source_names)
    parts = [known_name(part.strip()) for part in text.split(",") if part.strip()]
    if parts == ["all"]:
        if not available:
            raise InputError("`all` selects nothing, because the source has no tasks", where="suite")
        return "all", paper_order(available)
    names: list[str] = []
    errors: list[InputError] = []
    for part in parts:
        try:
            names += _named(part, available, draw, only, absent)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    if not names:
        raise InputError(
            "empty suite", where="suite", expected=f"{', '.join(SUITES)}, all, or task names joined by commas"
        )
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"task {twice!r} is named twice", where="suite", fix="name every task once")
    return ",".join(parts), tuple(names)


def _named(
    part: str,
    available: tuple[str, ...],
    draw: Callable[[str], tuple[str, ...]] | None,
    only: str,
    absent: Callable[[str], str] | None,
) -> tuple[str, ...]:
    """The tasks that one part of a suite names."""
    if part in available or (part in TASKS and not only):
        return (part,)
    if part in SUITES and not (only and set(SUITES[part]) - set(available)):
        return SUITES[part]
    if draw is not None and (drawn := draw(part)):
        return drawn
    if part.startswith("simulated:"):
        raise InputError(
            "only the simulated source draws fresh tasks", where=f"suite {part}", fix="give --source simulated"
        )
    where = f"suite of {only}" if only else "suite"
    if part in SUITES:
        missing = ", ".join(name for name in SUITES[part] if name not in available)
        raise InputError(f"no task {missing}, which {part} has", where=where, expected=f"one of {shown(available)}")
    check_task_name(part)
    known = (*available, *(() if only else TASKS), *SUITES, "all")
    found = absent(part) if absent is not None else ""
    raise unknown_name("task", part, known, where=where, listed=available if only else (), found=found)
