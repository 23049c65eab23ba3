"""Options of the command that more than one verb takes; those that are settings of a run come from `RunConfig`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from stream.config import RunConfig, described
from tasks.errors import InputError


class Display(StrEnum):
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


DisplayOption = Annotated[
    Display,
    typer.Option(
        "--display",
        metavar="HOW",
        help="rich, plain (no colours, no control codes), json (one JSON document and nothing else), or none.",
    ),
]
PluginOption = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE.py", help="Python file with a learner, metric or source of your own."),
]
StoreOption = Annotated[Path | None, typer.Option(help="The store, if neither in DIR nor where its settings say.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option(help="TOML file of these settings (`taskstream config` prints one); options given here win."),
]

METAVARS = {int: "N", float: "X", str: "TEXT"}

# Takes arguments of `stream.run` by name and the display; returns the exit code.
Verb = Callable[[Mapping[str, Any], str], int]


def takes_settings(verb: Verb) -> Callable[..., None]:
    """A verb of the command that takes the settings of a run, each an option with its name, meaning and default."""

    def command(**asked: Any) -> None:
        display = asked.pop("display")
        raise typer.Exit(verb({**asked, "columns": _columns(asked["columns"] or [])}, display))

    parameters = [
        *_settings(),
        Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=ConfigOption),
        Parameter("display", Parameter.KEYWORD_ONLY, default=Display.rich, annotation=DisplayOption),
    ]
    # Typer reads both.
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _settings() -> Iterator[Parameter]:
    """An option for each setting; None stands for one that is not given."""
    for name, field in RunConfig.model_fields.items():
        kinds = {int, float} & {field.annotation, *map(_bare, get_args(field.annotation))}
        kind: Any = next(iter(kinds), str)
        option = typer.Option(metavar=METAVARS[kind], help=described(name))
        if name == "columns":
            kind, option = list[str], typer.Option("--column", metavar="OURS=THEIRS", help=described(name))
        if name == "plugins":
            kind, option = list[str], typer.Option("--plugin", metavar="FILE.py", help=described(name))
        yield Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def _bare(annotation: Any) -> Any:
    """`int` of `Annotated[int, ...]`."""
    return getattr(annotation, "__origin__", annotation)


def _columns(pairs: list[str]) -> dict[str, str] | None:
    columns = {}
    for pair in pairs:
        ours, equals, yours = pair.partition("=")
        if not (ours and equals and yours):
            raise InputError(
                "cannot read this", where="--column", expected="OURS=THEIRS, as text=sentence", found=repr(pair)
            )
        columns[ours] = yours
    return columns or None
