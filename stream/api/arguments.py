"""Read the arguments of `run` and `plan`: objects become settings, and all errors are reported at once."""

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
from stream.config.settings import RunConfig
from stream.engine.progress import Handle
from stream.execution.workers import Workers
from stream.plugins.file import read_plugins
from stream.study.members import Grid
from stream.study.settings import resolve_study
from tasks.errors import InputError, InputErrors, unknown_name

if TYPE_CHECKING:  # importing these takes seconds
    from learners.backbones.backbone import Backbone
    from stream.results.metrics import Metric

P = ParamSpec("P")
R = TypeVar("R")

OTHERS = ("config", "display", "handle", "tasks", "metrics")  # arguments that are not settings of a run


@dataclass(frozen=True)
class Call:
    """The arguments of a call of `run` or `plan`, read and checked.

    Attributes:
        config, origins: The settings, and where each came from. For a study, those with its first seed and order.
        display: rich, plain, json or none.
        tables: Tasks in memory, by name: a table each, or a dict of tables by split. None if not given.
        backbone: The backbone object if the caller loaded one.
        workers: The workers if the caller keeps them.
        handle: Function that is called with every event.
        metrics: The caller's own metrics.
        grid: The seeds and orders of a study; None for a single run.
    """

    config: RunConfig
    origins: Mapping[str, str]
    display: str = "none"
    tables: Mapping[str, object] | None = None
    backbone: Backbone | None = None
    workers: Workers | None = None
    handle: Handle | None = None
    metrics: tuple[Metric, ...] = ()
    grid: Grid | None = None


class _NotGiven:
    def __repr__(self) -> str:
        return "not given"


_NOT_GIVEN = _NotGiven()


def by_name(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function whose arguments are settings, given by name.

    The defaults in its signature are documentation only. The decorated function passes a marker for each argument that
    the caller omits, so that `read_call` can take its value from the file of `config`.

    Raises:
        InputErrors: Unknown or positional arguments, and all errors that `read_call` finds.
    """
    names = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args: P.args, **given: P.kwargs) -> R:
        where = f"{function.__name__}()"
        errors = [InputError("arguments must be given by name", where=where, found=shown(each)) for each in args]
        errors += [unknown_name("argument", name, names, where=where) for name in given if name not in names]
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
    """Read the arguments of a call.

    Args:
        arguments: Values by name. For None and for omitted arguments, the file of `config` or the default gives the
            value.
        origin: What to record as the origin of the given settings. Default: call.

    Raises:
        InputErrors: All errors in the arguments.
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
    resolved: tuple[RunConfig, dict[str, str], Grid] | None = None
    try:
        resolved = resolve_study(plain, file, origin=origin)
    except InputError as error:
        errors.extend(error.errors)
    try:  # errors of the files are reported before libraries are loaded
        read_plugins(resolved[0].plugins if resolved else plain.get("plugins", ()))
    except InputError as error:
        errors.extend(error.errors)
    if resolved is None:
        raise InputErrors(errors)
    config, origins, grid = resolved
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
    return Call(config, origins, display, tables, backbone, kept, handle, own, grid if grid.several else None)


@contextmanager
def _plugins_of(given: Mapping[str, object], errors: list[InputError]) -> Iterator[None]:
    """Load the given plug-ins for the `with` block if learners are objects, because reading the objects needs them.

    Args:
        errors: Errors of the plug-ins are added, unless reading the settings finds them again.
    """
    learners = given.get("learners", "")
    texts = isinstance(learners, str) or (
        isinstance(learners, Sequence) and all(isinstance(each, str) for each in learners)
    )
    if texts or "plugins" not in given:
        yield
        return
    from stream.plugins.load import load_plugins  # executes the files; their imports take seconds

    try:
        files = read_files("plugins", given["plugins"])
        read_plugins(files)
    except InputError:  # `read_call` reports it with the other errors
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
