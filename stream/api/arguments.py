"""What a caller gives to `run` and `plan`: objects become settings, every error is found before anything is done."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from stream.api.objects import check_backbone
from stream.api.readers import (
    READERS,
    read_display,
    read_files,
    read_handle,
    read_metrics,
    read_number,
    read_path,
    read_tables,
    shown,
)  # fmt: skip
from stream.config import RunConfig, resolve_config
from stream.engine.progress import Handle
from stream.execution.workers import Workers
from stream.plugins.file import read_plugins
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

    with _plugins_of(given, errors):
        for name in given:
            if name not in OTHERS and (value := read(name, READERS.get(name, read_number))) is not None:
                plain[name] = value
    file = read("config", read_path)
    tables = read("tasks", read_tables)
    display = read("display", read_display, "none")
    handle = read("handle", read_handle)
    own = read("metrics", read_metrics, ())
    resolved: tuple[RunConfig, dict[str, str]] | None = None
    try:
        resolved = resolve_config(plain, file, origin=origin)
    except InputError as error:
        errors.extend(error.errors)
    try:  # what is wrong with a plug-in's file itself is told before libraries are loaded
        read_plugins(resolved[0].plugins if resolved else plain.get("plugins", ()))
    except InputError as error:
        errors.extend(error.errors)
    if resolved is None:
        raise InputErrors(errors)
    config, origins = resolved
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
def _plugins_of(given: Mapping[str, object], errors: list[InputError]) -> Iterator[None]:
    """Know the families of the plug-ins given, if learners are given as objects.

    Args:
        errors: Faults of the plug-ins are added, unless reading the settings finds them again.
    """
    learners = given.get("learners", "")
    texts = isinstance(learners, str) or (
        isinstance(learners, Sequence) and all(isinstance(each, str) for each in learners)
    )
    if texts or "plugins" not in given:
        yield
        return
    from stream.plugins.load import load_plugins  # runs them, and what they import takes seconds

    try:
        files = read_files("plugins", given["plugins"])
        read_plugins(files)
    except InputError:  # `read_call` finds it, beside all else
        yield
        return
    try:
        plugins = load_plugins(files)
    except InputError as error:
        errors += error.errors
        yield
        return
    with plugins.in_use():
        yield
