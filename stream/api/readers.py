"""Readers of arguments: one function per argument, which converts the allowed types to one and rejects the others."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stream.api.metrics import check_metric
from stream.api.objects import backbone_name, learner_name
from stream.config.settings import number_type
from stream.engine.progress import Handle
from stream.execution.workers import Workers
from stream.report.console import DISPLAYS
from tasks.errors import InputError, InputErrors, unknown_name

if TYPE_CHECKING:  # imports NumPy
    from stream.results.metrics import Metric


def bad(name: str, value: object, expected: str, where: str = "call") -> InputError:
    """The error for an argument of a wrong type or value."""
    return InputError(f"bad value of {name}", where=where, expected=expected, found=shown(value))


def shown(value: object) -> str:
    """A value for a message, at most 80 characters, with its type if the text does not show it."""
    text = " ".join(repr(value).split())
    text = text if len(text) <= 80 else text[:80] + "..."
    return text if isinstance(value, str | int | float | type(None)) else f"{type(value).__name__} {text}"


def read_number(name: str, value: object) -> object:
    """Real numbers of NumPy become Python's. Other values are returned unchanged; `resolve_config` checks them."""
    if number_type(name) is not float or isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Real) and not (isinstance(value, float) and math.isnan(value)):
        return float(value)
    return value


def _texts(name: str, value: object) -> object:
    if isinstance(value, str):
        return value
    empty = name != "log" and not value  # an empty list of loggers means none
    if isinstance(value, Sequence) and not empty and all(isinstance(part, str) for part in value):
        return list(value)
    raise bad(name, value, "a text, or a list of texts, not empty")


def _learners(name: str, value: object) -> object:
    if isinstance(value, str):
        return value
    errors: list[InputError] = []
    names: list[str] = []
    for entry in value if isinstance(value, Sequence) else (value,):
        try:
            names.append(learner_name(entry))
        except InputError as error:
            errors += error.errors
    if errors:
        raise InputErrors(errors)
    if not names:
        raise bad(name, value, "a text, a learner, or a list of these, not empty")
    return names


def _source(name: str, value: object) -> object:
    if isinstance(value, Path):
        return f"folder:{value}"
    if isinstance(value, str):
        return value
    raise bad(name, value, "a text, or the Path of a folder; for tables in memory use tasks={name: table}")


def _backbone(name: str, value: object) -> object:
    return str(value) if isinstance(value, str | Path) else backbone_name(value)


def _columns(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise bad(name, value, "a dict: our column name -> your column name")


def read_path(name: str, value: object) -> Path:
    if isinstance(value, Path) or (isinstance(value, str) and value):  # "" would be the current folder
        return Path(value)
    raise bad(name, value, "a path")


def _path_text(name: str, value: object) -> str:
    return str(read_path(name, value))


def read_files(name: str, value: object, where: str = "call") -> list[str]:
    files = [value] if isinstance(value, str | Path) else value
    if isinstance(files, Sequence) and all(isinstance(file, str | Path) for file in files):
        return [str(file) for file in files]
    raise bad(name, value, "a path or a list of paths", where)


def _workers(name: str, value: object) -> object:
    return value.count if isinstance(value, Workers) else read_number(name, value)


def read_tables(name: str, value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping) and value:
        return value
    raise bad(name, value, "a dict: task name -> table")


def read_metrics(name: str, value: object) -> tuple[Metric, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise bad(name, value, "a list of metrics")
    errors: list[InputError] = []
    found: list[Metric] = []
    for entry in value:
        try:
            found.append(check_metric(entry))
        except InputError as error:
            errors += error.errors
    if errors:
        raise InputErrors(errors)
    return tuple(found)


def read_display(name: str, value: object) -> str:
    if isinstance(value, str) and value in DISPLAYS:
        return value
    raise unknown_name("display", str(value), DISPLAYS, where="call")


def read_handle(name: str, value: object) -> Handle:
    if callable(value):
        return value
    raise bad(name, value, "a function of one argument, the event")


READERS: Mapping[str, Callable[[str, object], object]] = {
    "suite": _texts,
    "order": _texts,
    "log": _texts,
    "learners": _learners,
    "source": _source,
    "backbone": _backbone,
    "columns": _columns,
    "out": _path_text,
    "store": _path_text,
    "workers": _workers,
    "plugins": read_files,
}
