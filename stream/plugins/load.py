"""Load plug-ins from files and entry points, and report all their errors at once, before the first fit."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.plugins.defined import Defined, Plugins
from stream.plugins.file import Kind, PluginFile, read_plugins
from tasks.errors import InputError, InputErrors, place_of
from tasks.registry import Origin

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUPS: Mapping[str, Kind] = {
    "taskstream.learners": "learner",
    "taskstream.metrics": "metric",
    "taskstream.sources": "source",
}
KINDS: Mapping[str, Kind] = {
    "FAMILY": "learner",
    "FAMILIES": "learner",
    "METRIC": "metric",
    "METRICS": "metric",
    "SOURCE": "source",
}


def load_plugins(files: Sequence[str | Path] = ()) -> Plugins:
    """Load and check all plug-ins: the installed ones, found by entry point, and the given files.

    An installed plug-in that cannot be loaded is left out with a warning, because it may be of no use to this run.

    Args:
        files: Python files. They are executed. Default: none.

    Raises:
        InputErrors: All other errors of all plug-ins, each with its file and line.
    """
    errors: list[InputError] = []
    defined: list[Defined] = []

    for point in (point for group in GROUPS for point in installed(group)):
        try:
            defined += _of_entry_point(point)
        except InputError as error:
            warnings.warn(f"{error}; this plug-in is not available", RuntimeWarning, stacklevel=2)
    for file in read_plugins(files):
        try:
            defined += _of_file(file)
        except InputError as error:
            errors += error.errors
    if defined or errors:
        from stream.plugins.check import check

        errors += check(defined)
    if errors:
        raise InputErrors(errors)
    return Plugins(tuple(defined))


def reload_plugins(origins: Sequence[Mapping[str, str]]) -> Plugins:
    """Load plug-ins that another process has loaded and checked.

    Args:
        origins: One dict per plug-in, with the fields of `tasks.registry.Origin`.

    Raises:
        InputError: A plug-in has other content than in the other process.
    """
    defined: list[Defined] = []
    for origin in (Origin(**fields) for fields in origins):
        if origin.file:
            (file,) = read_plugins([origin.file])
            found = _of_file(file)
        else:
            group, _, name = origin.entry.partition(":")
            found = [each for point in installed(group) if point.name == name for each in _of_entry_point(point)]
        key = found[0].origin.key if found else "nothing"
        if key != origin.key:
            where, fix = origin.file or origin.entry, "repeat the command"
            raise InputError("the plug-in changed during the run", where=where, expected=origin.key, found=key, fix=fix)
        defined += found
    return Plugins(tuple(defined))


def installed(group: str) -> Sequence[EntryPoint]:
    """The entry points of a group in all installed distributions."""
    from importlib.metadata import entry_points  # imported here to keep --help quick

    return [*entry_points(group=group)]


def _of_file(file: PluginFile) -> list[Defined]:
    """Execute a file as a module. Its folder is not added to the import path, because a module imported from there
    would not be part of the file's hash. The file can import installed packages only."""
    origin = Origin(file.path.name, file.sha256, file=str(file.path))
    module = types.ModuleType(f"taskstream_plugin_{file.sha256[:16]}")
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # dataclasses look up their module; the hash makes its name unique
    try:
        with contextlib.redirect_stdout(sys.stderr):  # prints of the file must not mix with a JSON document
            exec(compile(file.code, str(file.path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        where, found = place_of(error, str(file.path))
        raise InputError("this plug-in fails when it is loaded", where=where, found=found) from error
    return _definitions(vars(module), origin, lambda name: f"{file.path}:{file.lines.get(name, 1)}")


def _of_entry_point(point: EntryPoint) -> list[Defined]:
    """Load an entry point: a module that defines one of `NAMES`, or the object itself, or a list of objects."""
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist else point.module
    where = f"entry point {point.group}: {point.name} ({distribution})"
    try:
        found = point.load()
        file = Path(str(sys.modules[point.module].__file__))
        origin = Origin(
            distribution, hashlib.sha256(file.read_bytes()).hexdigest(), entry=f"{point.group}:{point.name}"
        )
    except (Exception, SystemExit) as error:
        place, said = place_of(error, "")
        fix = "update the package, or uninstall it"
        raise InputError(
            "this plug-in fails when it is loaded", where=where, found=f"{said} ({place})", fix=fix
        ) from error
    kind = GROUPS[point.group]
    if not isinstance(found, types.ModuleType):
        one, several = {"learner": ("FAMILY", "FAMILIES"), "metric": ("METRIC", "METRICS")}.get(kind, ("SOURCE",) * 2)
        found = types.SimpleNamespace(**{several if isinstance(found, list | tuple) else one: found})
    names = {name: value for name, value in vars(found).items() if KINDS.get(name) == kind}
    if not names:
        expected = " or ".join(name for name, of in KINDS.items() if of == kind)
        raise InputError("this plug-in defines nothing", where=where, expected=expected)
    return _definitions(names, origin, lambda name: where)


def _definitions(names: Mapping[str, Any], origin: Origin, where: Callable[[str], str]) -> list[Defined]:
    found = []
    for name, kind in KINDS.items():
        if name not in names:
            continue
        value, several = names[name], name in ("FAMILIES", "METRICS")
        if several and not isinstance(value, list | tuple):
            raise InputError(f"{name} has the wrong type", where=where(name), expected="a list", found=_type(value))
        for thing in value if several else (value,):
            found.append(Defined(kind, str(getattr(thing, "name", "")), thing, origin, where(name), not several))
    return found


def _type(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:60]!r}"
