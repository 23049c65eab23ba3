"""What a caller gives to `run` and `plan`: objects become settings, every error is found before anything is done."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from stream.api.metrics import check_metric
from stream.api.objects import backbone_name, check_backbone, learner_name
from stream.config import RunConfig, resolve_config
from stream.engine.progress import Handle
from stream.execution.workers import Workers
from stream.plugins.file import read_plugins
from stream.report.console import DISPLAYS
from tasks.errors import InputError, InputErrors, unknown_name

if TYPE_CHECKING:  # seconds
    from learners.backbones.backbone import Backbone
    from stream.results.metrics import Metric

P = ParamSpec("P")
R = TypeVar("R")


OTHERS = ("config", "display", "handle", "tasks", "metrics")  # arguments that are no settings of a run


@dataclass(frozen=True)
class Call:
    """A call of `run` or `plan`, read.

    Attributes:
        config, origins: The settings, and where each came from.
        tables: Tasks in memory, by name: a table each, or a dict of tables by split.
        backbone: If the caller has loaded it.
        workers: If the caller keeps them.
        handle: Called with every event.
        metrics: The caller's own.
    """

    config: RunConfig
    origins: Mapping[str, str]
    display: str = "none"
    tables: Mapping[str, object] | None = None
    backbone: Backbone | None = None
    workers: Workers | None = None
    handle: Handle | None = None
    metrics: tuple[Metric, ...] = ()


class _NotGiven:
    def __repr__(self) -> str:
        return "not given"


_NOT_GIVEN = _NotGiven()


def by_name(function: Callable[P, R]) -> Callable[P, R]:
    """A function that takes settings by name. Defaults in its signature are for the reader: what the caller leaves out
    may stand in the file of `config`, so the function must know what was given (`read_call`).

    Raises:
        InputErrors: Names that are none, beside all else that `read_call` finds.
    """
    names = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args: P.args, **given: P.kwargs) -> R:
        where = f"{function.__name__}()"
        errors = [InputError("settings are given by name", where=where, found=shown(each)) for each in args]
        errors += [unknown_name("setting", name, names, where=where) for name in given if name not in names]
        if errors:
            try:
                read_call({name: value for name, value in given.items() if name in names})
            except InputError as others:
                errors += others.errors
            raise InputErrors(errors)
        everything: dict[str, Any] = {name: given.get(name, _NOT_GIVEN) for name in names}
        return function(**everything)  # type: ignore[call-arg]

    return call


def read_call(arguments: Mapping[str, object], origin: str = "call") -> Call:
    """Settings and objects of a call.

    Args:
        arguments: By name; None and what was not given are left to the file of `config` and the defaults.
        origin: What is said of a setting that was given.

    Raises:
        InputErrors: Everything that is wrong with them.
    """
    given = {name: value for name, value in arguments.items() if value is not None and value is not _NOT_GIVEN}
    errors: list[InputError] = []
    plain: dict[str, Any] = {}

    def read(name: str, reader: Callable[[str, object], Any], default: Any = None) -> Any:
        if name not in given:
            return default
        try:
            return reader(name, given[name])
        except InputError as error:
            errors.extend(error.errors)
            return default

    with _plugins_of(given):
        for name in given:
            if name not in OTHERS and (value := read(name, READERS.get(name, _plain))) is not None:
                plain[name] = value
    file = read("config", _path)
    tables = read("tasks", _tables)
    display = read("display", _display, "none")
    handle = read("handle", _callable)
    own = read("metrics", _metrics, ())
    try:
        config, origins = resolve_config(plain, file, origin=origin)
    except InputError as error:
        raise InputErrors([*errors, *error.errors]) from None
    try:
        read_plugins(config.plugins)  # what is wrong with a file itself is told before libraries are loaded
    except InputError as error:
        errors.extend(error.errors)
    loaded: Any = given.get("backbone")
    backbone = None if isinstance(loaded, str | Path | None) or errors else loaded
    if backbone is not None:
        try:
            check_backbone(backbone, config.dtype)
        except InputError as error:
            errors.extend(error.errors)
    if errors:
        raise InputErrors(errors)
    workers = given.get("workers")
    kept = workers if isinstance(workers, Workers) else None
    return Call(config, origins, display, tables, backbone, kept, handle, own)


@contextmanager
def _plugins_of(given: Mapping[str, object]) -> Iterator[None]:
    """Know the families of the plug-ins given, if learners are given as objects.

    Raises:
        InputError: Faults of the plug-ins.
    """
    learners = given.get("learners", "")
    texts = isinstance(learners, str) or (
        isinstance(learners, Sequence) and all(isinstance(each, str) for each in learners)
    )
    if texts or "plugins" not in given:
        yield
        return
    from stream.plugins.load import load_plugins  # runs them, and what they import takes seconds

    with load_plugins(_files("plugins", given["plugins"])).in_use():
        yield


def bad(name: str, value: object, expected: str) -> InputError:
    """The error for an argument of the wrong kind."""
    return InputError(f"bad value of {name}", where="call", expected=expected, found=shown(value))


def shown(value: object) -> str:
    """A value for a message, with its type where that is not plain to see."""
    text = " ".join(repr(value).split())
    text = text if len(text) <= 80 else text[:80] + "..."
    return text if isinstance(value, str | int | float | type(None)) else f"{type(value).__name__} {text}"


def _plain(name: str, value: object) -> object:
    """Numbers of NumPy as Python's; whatever else there is, `resolve_config` judges."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and not (isinstance(value, float) and math.isnan(value)):
        return float(value)
    return value


def _texts(name: str, value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(part, str) for part in value):
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
    raise bad(name, value, "a text, or the Path of a folder; tables are given as tasks={name: table}")


def _backbone(name: str, value: object) -> object:
    return str(value) if isinstance(value, str | Path) else backbone_name(value)


def _columns(name: str, value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise bad(name, value, "a dict: our column name -> yours")


def _path(name: str, value: object) -> Path:
    if isinstance(value, str | Path):
        return Path(value)
    raise bad(name, value, "a path")


def _path_text(name: str, value: object) -> str:
    return str(_path(name, value))


def _files(name: str, value: object) -> list[str]:
    files = [value] if isinstance(value, str | Path) else value
    if isinstance(files, Sequence) and all(isinstance(file, str | Path) for file in files):
        return [str(file) for file in files]
    raise bad(name, value, "a path or a list of paths")


def _workers(name: str, value: object) -> object:
    return value.count if isinstance(value, Workers) else _plain(name, value)


def _tables(name: str, value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping) and value:
        return value
    raise bad(name, value, "a dict: task name -> table")


def _metrics(name: str, value: object) -> tuple[Metric, ...]:
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


def _display(name: str, value: object) -> str:
    if isinstance(value, str) and value in DISPLAYS:
        return value
    raise unknown_name("display", str(value), DISPLAYS, where="call")


def _callable(name: str, value: object) -> Handle:
    if callable(value):
        return value
    raise bad(name, value, "a function of one event")


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
    "plugins": _files,
}
