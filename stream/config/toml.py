"""Settings as TOML: read from a file, written beside the results with the origin of each value."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli_w

from stream.config.settings import RunConfig
from tasks.errors import InputError, InputErrors


def read_toml(file: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        InputErrors: The file is missing, is not readable, or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except FileNotFoundError:
        fix = "`taskstream config > FILE` writes one"
        raise InputErrors([InputError("no such file", where=f"--config {file}", fix=fix)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputErrors([InputError("not a TOML file", where=str(file), found=str(error))]) from None
    except OSError as error:
        found = error.strerror or str(error)
        what, expected = "the file cannot be read", "a TOML file"
        raise InputErrors([InputError(what, where=str(file), expected=expected, found=found)]) from None


def config_toml(
    config: RunConfig, origins: Mapping[str, str], changed: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The settings as TOML, one per line, each with its origin in a comment. A line whose value is None is commented.

    Args:
        origins: Where each value came from, by name, as `resolve_config` returns it.
        changed: Texts in the place of values, by name: the seeds and orders of a study. Default: none.
    """
    lines = ["# Settings of this run; the comment says where each came from.\n"]
    for key, value in (config.model_dump() | dict(changed)).items():
        if value is None:
            lines.append(f"# {key} =   # {origins[key]}\n")
        elif isinstance(value, dict) or (key == "plugins" and not value):
            continue
        else:
            lines.append(f"{tomli_w.dumps({key: value}).rstrip()}  # {origins[key]}\n")
    if config.columns:
        lines.append(tomli_w.dumps({"columns": config.columns}))
    return "".join(lines)
