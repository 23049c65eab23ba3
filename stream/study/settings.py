"""The settings of a study: those of a run, with several seeds and orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stream.config.protocol import without_errors
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.config.toml import config_toml, read_toml
from stream.study.members import Grid, orders_of, seeds_of
from tasks.errors import InputError, InputErrors

COMMAND = "command line"  # the origin of values that are given as options
READERS: Mapping[str, Callable[[object, str], tuple[int, ...] | tuple[str, ...] | None]] = {
    "seed": seeds_of,
    "order": orders_of,
}


def resolve_study(
    given: Mapping[str, Any], file: Path | None = None, origin: str = COMMAND
) -> tuple[RunConfig, dict[str, str], Grid]:
    """Combine the defaults, a TOML file and the given values, as `resolve_config` does; `seed` and `order` may be
    several.

    Args:
        given: Values by name of the setting. None means "not given".
        file: TOML file of settings. Default: none.
        origin: What to record as the origin of the given values. Default: command line.

    Returns:
        The settings with the first seed and the first order, the origin of each setting by name, and the grid of all
        seeds and orders.

    Raises:
        InputErrors: All unknown names and bad values.
    """
    errors: list[InputError] = []
    several: dict[str, Any] = {}
    origins_of: dict[str, str] = {}
    settings = _read(file)
    protocol, preset = without_errors(given, settings)
    for name, read in READERS.items():
        value, where = given.get(name), origin
        if value is None:
            value, where = (settings[name], f"file {file}") if name in settings else (preset.get(name), protocol)
        try:
            found = read(value, f"--{name}" if where == COMMAND else where)
        except InputError as error:
            errors += error.errors
            found = (getattr(RunConfig(), name),)  # only to look for other errors
        if found:
            several[name], origins_of[name] = found, where
    firsts = {name: values[0] for name, values in several.items()}
    try:
        config, origins = resolve_config({**given, **firsts}, file, origin)
        grid = Grid(several.get("seed") or (config.seed,), several.get("order") or (config.order,))
        for seed in grid.seeds:
            if seed != config.seed:
                resolve_config({"seed": seed}, origin=origins_of["seed"])  # the limits of a seed
    except InputError as error:
        raise InputErrors([*errors, *error.errors]) from None
    if errors:
        raise InputErrors(errors)
    return config, origins | origins_of, grid


def study_toml(config: RunConfig, origins: Mapping[str, str], grid: Grid) -> str:
    """Returns the settings of a study as TOML, which `--config` reads again. One seed or order is as in a run."""
    changed = {name: text for name, text in grid.as_settings().items() if len(getattr(grid, f"{name}s")) > 1}
    return config_toml(config, origins, changed).replace("# Settings of this run;", "# Settings of this study;", 1)


def _read(file: Path | None) -> Mapping[str, Any]:
    """The settings of a file; none if it cannot be read, which `resolve_config` reports."""
    try:
        return read_toml(file) if file else {}
    except InputError:
        return {}
