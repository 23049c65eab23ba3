"""`resolve_config`: settings from defaults, a TOML file and the caller, all checked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from learners.device import CPU, device_named
from learners.training.precision import dtype_of
from stream.config.protocol import protocol_layer
from stream.config.settings import LISTS, RunConfig, number_type
from stream.config.toml import read_toml
from tasks.errors import InputError, InputErrors, unknown_name
from tasks.paths import user_path


def resolve_config(
    given: Mapping[str, Any], file: Path | None = None, origin: str = "command line"
) -> tuple[RunConfig, dict[str, str]]:
    """Combine the defaults, a protocol, a TOML file and the given values. Later ones win.

    The protocol is that of the setting `protocol`, given or in the file.

    The device `auto`, the default, becomes the device of the run that the folder already contains, or else the first
    CUDA card, or `cpu`. The dtype `auto` becomes the dtype of this run, or else the best dtype for the device. The pack
    `auto` becomes that of this run, or else 1 on `cpu`; on a graphics card it stays, until the backbone is known.

    Args:
        given: Values by name of the setting. None means "not given".
        file: TOML file of settings. Default: none.
        origin: What to record as the origin of the given values. Default: command line.

    Returns:
        The settings, and the origin of each setting by name.

    Raises:
        InputErrors: All unknown names and bad values.
    """
    from_file = read_toml(file) if file else {}
    layers: list[tuple[str, Mapping[str, Any]]] = [
        (f"file {file}", from_file),
        (origin, {k: v for k, v in given.items() if v is not None}),
    ]
    values: dict[str, Any] = {}
    origins = dict.fromkeys(RunConfig.model_fields, "default")
    errors: list[InputError] = []
    try:
        layers.insert(0, protocol_layer(given, from_file))
    except InputError as error:
        errors += error.errors
    for name, layer in layers:
        for key, value in layer.items():
            if key not in RunConfig.model_fields:
                errors.append(unknown_name("setting", key, RunConfig.model_fields, where=name))
                continue
            try:
                values[key], origins[key] = _read_value(key, value, name), name
            except InputError as error:
                errors.append(error)
    if values.get("device", "auto") == "auto":
        values["device"], why = _as_begun(values.get("out"), "device", CPU, lambda: device_named("auto"))
        origins["device"] += "" if origins["device"] == "default" else f": auto, {why}"
    if values.get("dtype") == "auto":
        device = str(values["device"])
        values["dtype"], why = _as_begun(values.get("out"), "dtype", "float32", lambda: _dtype_of(device))
        origins["dtype"] += f": auto, {why}"
    if values.get("pack") == "auto":
        new: int | str = 1 if values["device"] == CPU else "auto"  # on a card it follows from backbone and learners
        values["pack"], why = _as_begun(values.get("out"), "pack", 1, lambda: new)
        origins["pack"] += f": auto, {why}"
    try:
        config = RunConfig(**values)
    except ValidationError as error:
        wrong: set[str] = set()
        for problem in error.errors():
            key = str(problem["loc"][0])
            if key in wrong:  # a setting of two types has an error for each; the first says more
                continue
            wrong.add(key)
            expected, found = _expected_and_found(problem["type"], problem["msg"], problem["input"])
            expected += " or 'auto'" if key in ("dtype", "pack") else ""
            expected = "auto, cpu, cuda, cuda:N or mps" if key == "device" else expected
            errors.append(InputError(f"bad value of {key}", where=origins[key], expected=expected, found=found))
    if errors:
        raise InputErrors(errors)
    return config, origins


# First word of pydantic's type of error -> what the setting takes.
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "dict": "a table of names",
    "tuple": "a list of texts",
}


def _expected_and_found(type_of_error: str, message: str, value: object) -> tuple[str, str]:
    """What a setting takes and what it got, from pydantic's error."""
    kind, rule = type_of_error.partition("_")[0], message.removeprefix("Input should be ")
    if kind in ("greater", "less"):
        return f"a number {rule}", str(value)
    return KINDS.get(kind, rule), repr(value)


def _read_value(key: str, value: Any, where: str) -> Any:
    """Read one value of a file or a call: a list of texts is joined with commas, and one plug-in becomes a list.

    Raises:
        InputError: A value that pydantic would convert to another one without an error, or a wrong list.
    """
    if key == "plugins":
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
            raise InputError(f"bad value of {key}", where=where, expected="a list of paths", found=repr(value))
    # pydantic would take True as 1, and an empty path as the current folder.
    if isinstance(value, bool) and number_type(key):
        raise InputError(f"bad value of {key}", where=where, expected="a number", found=repr(value))
    if key in ("out", "store") and value == "":
        raise InputError(f"bad value of {key}", where=where, expected="a text that is not empty", found=repr(value))
    if key not in LISTS or not isinstance(value, list | tuple):
        return value
    if key == "log" and not value:
        return None  # no logger
    if not value or not all(isinstance(part, str) and part for part in value):
        raise InputError(f"bad value of {key}", where=where, expected="a list of texts, not empty", found=repr(value))
    return ",".join(value)


def _dtype_of(device: str) -> str:
    """The best dtype for a device; for `cpu` if this machine lacks it, which `resolve` of the engine reports."""
    try:
        return dtype_of(device_named(device))
    except InputError:
        return dtype_of(CPU)


def _as_begun(out: Any, key: str, missing: Any, here: Callable[[], Any]) -> tuple[Any, str]:
    """The value for `auto`, and the reason.

    Args:
        missing: The value in a file that does not have it.
        here: Finds what suits this machine.
    """
    folder = user_path(out, where="--out") if isinstance(out, str) else Path(RunConfig.model_fields["out"].default)
    file = folder / "config.toml"
    try:
        began = read_toml(file).get(key, missing) if file.exists() else "auto"
    except InputError:  # a damaged file; the engine compares with the ledger
        began = "auto"
    # A run never writes "auto": if the file says so, the user has put the settings into the folder of a future run.
    if began != "auto":
        return began, "as this run began"
    return here(), f"what suits this {'machine' if key == 'device' else 'processor'}"
