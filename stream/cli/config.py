"""`taskstream config`: print a settings file, every setting with its meaning, unit and default."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from learners.specification.notation import parts
from stream.config.settings import LISTS, RunConfig, described, setting
from stream.study.members import Grid
from stream.study.settings import resolve_study
from tasks.errors import InputError

WIDTH = 100
EXAMPLES = {  # values to show in comments, for settings whose default is None
    "select": "halving",
    "scope": "first:3",
    "restarts": 5,
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 1e-4,
    "train_examples": 1000,
    "validation_examples": 200,
    "test_examples": 200,
    "store": "runs/store",
    "workers": 2,
    "log": ["tensorboard"],
    "protocol": "quick",
}


def config(folder: Path | None, display: str) -> None:
    """Print the defaults, or the settings of the run in `folder`.

    Raises:
        InputError: The folder contains no run, or its settings are not readable.
    """
    settings, grid = (RunConfig(), None) if folder is None else of_run(folder)
    if display == "json":
        print(json.dumps(settings_document(settings, grid)))
    elif display != "none":
        which = "the defaults" if folder is None else f"those of the {'study' if grid else 'run'} in {folder}"
        print(settings_file(settings, which, grid), end="")


def of_run(folder: Path) -> tuple[RunConfig, Grid | None]:
    """The settings of the run in `folder`, and the seeds and orders if it is a study.

    Raises:
        InputError: The folder contains no run, or its settings are not readable.
    """
    path = folder / "config.toml"
    if not path.is_file():
        raise InputError("no run here", where=str(folder), expected="config.toml", fix="taskstream list runs")
    settings, _, grid = resolve_study({}, path)
    return settings, grid if grid.several else None


def values(settings: RunConfig, grid: Grid | None) -> dict[str, Any]:
    """The value of each setting by name; several seeds or orders as one text."""
    return {name: getattr(settings, name) for name in RunConfig.model_fields} | (grid.as_settings() if grid else {})


def settings_document(settings: RunConfig, grid: Grid | None = None) -> dict[str, Any]:
    """Value, default, meaning and unit of each setting, by name."""
    value_of = values(settings, grid)
    return {
        name: {
            "value": value_of[name],
            "default": field.default,
            "default_means": setting(name).none,
            "help": setting(name).help,
            "unit": setting(name).unit,
        }
        for name, field in RunConfig.model_fields.items()
    }


def settings_file(settings: RunConfig, which: str, grid: Grid | None = None) -> str:
    """The settings as TOML for `--config`, each below a comment that explains it. Lines without a value are comments.

    Args:
        which: Says for the first line whose settings these are.
        grid: The seeds and orders of a study. Default: none.
    """
    which = " ".join(which.split())  # a line break would end the comment
    head = [f"# Settings of a run of taskstream; the values are {which}.", "# Use: taskstream run --config FILE"]
    return "\n".join([*head, *_settings(values(settings, grid))]) + "\n"


def _settings(value_of: Mapping[str, Any]) -> Iterator[str]:
    for name in (*(name for name in RunConfig.model_fields if name != "columns"), "columns"):  # TOML wants tables last
        yield ""
        yield from textwrap.wrap(
            described(name), WIDTH, initial_indent="# ", subsequent_indent="# ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        value = value_of[name]
        if name == "columns":
            yield tomli_w.dumps({name: value}).rstrip() if value else '# [columns]\n# text = "sentence"'
        elif value is None:
            yield f"# {_line(name, EXAMPLES[name])}"
        else:
            listed = name in LISTS and "," in value and ";" not in value
            yield _line(name, parts(value, ",") if listed else value)


def _line(name: str, value: Any) -> str:
    """`name = value` in TOML. A list stays on one line."""
    if isinstance(value, list):
        return f"{name} = [{', '.join(_line('x', entry).partition(' = ')[2] for entry in value)}]"
    return tomli_w.dumps({name: value}).rstrip()
