"""Options of the command: those that several verbs take, and one option per setting of `RunConfig`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.config.settings import GROUPS, RunConfig, described, number_type, setting
from tasks.errors import InputError


class Display(StrEnum):
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


class Listed(StrEnum):
    tasks = "tasks"
    learners = "learners"
    metrics = "metrics"
    backbones = "backbones"
    protocols = "protocols"
    runs = "runs"


class Shown(StrEnum):
    task = "task"
    learner = "learner"
    metric = "metric"
    protocol = "protocol"


class Template(StrEnum):
    learner = "learner"
    metric = "metric"
    source = "source"


class Format(StrEnum):
    merged = "merged"
    modules = "modules"
    peft = "peft"


DisplayOption = Annotated[
    Display,
    typer.Option(
        "--display",
        metavar="HOW",
        help="What to print: rich, plain (no colours, no control codes), json (one JSON document and nothing else), or "
        "none.",
    ),
]
PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="Python file that defines your own learners, metrics or sources. It is executed. May be repeated. "
        "Default: no file.",
    ),
]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of finished fits. Default: the folder store in FOLDER, or the one in the run's settings."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        help="TOML file of settings; `taskstream config` prints one. Options of the command win over the file. "
        "Default: no file."
    ),
]

METAVARS = {int: "N", float: "X", str: "TEXT"}
# Settings whose option may be repeated: its name and metavar.
REPEATED = {
    "columns": ("--column", "OURS=THEIRS"),
    "plugins": ("--plugin", "FILE.py"),
    "order": ("--order", "TEXT"),
}

# Takes arguments of `stream.run` by name and the display. Returns the exit code.
Verb = Callable[[Mapping[str, Any], str], int]


def takes_settings(verb: Verb) -> Callable[..., None]:
    """Make `verb` a command with one option per setting of a run, and --config and --display."""

    def command(**values: Any) -> None:
        display = values.pop("display")
        given = values["order"]
        orders = None if given is None else ";".join(given)  # each --order is a whole order
        raise typer.Exit(verb({**values, "columns": _columns(values["columns"] or []), "order": orders}, display))

    parameters = [
        *_settings(),
        Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=ConfigOption),
        Parameter("display", Parameter.KEYWORD_ONLY, default=Display.rich, annotation=DisplayOption),
    ]
    # Typer reads both attributes.
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _settings() -> Iterator[Parameter]:
    """One option per setting, by group. The value None means that the option is not given.

    The values are texts, which `resolve_config` converts, so that it reports all bad values together.
    """
    for name in sorted(RunConfig.model_fields, key=lambda name: GROUPS.index(setting(name).group)):
        kind: Any = str
        names: tuple[str, ...] = ()
        metavar = METAVARS[number_type(name) or str]
        if name in REPEATED:
            option_name, metavar = REPEATED[name]
            kind, names = list[str], (option_name,)
        option = typer.Option(*names, metavar=metavar, help=described(name), rich_help_panel=setting(name).group)
        yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def _columns(pairs: list[str]) -> dict[str, str] | None:
    """Column names from the values of --column. None if there are no values."""
    columns = {}
    for pair in pairs:
        ours, equals, yours = pair.partition("=")
        if not (ours and equals and yours):
            raise InputError(
                "not a pair of column names",
                where="--column",
                expected="OURS=THEIRS, for example text=sentence",
                found=repr(pair),
            )
        columns[ours] = yours
    return columns or None
