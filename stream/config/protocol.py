"""Protocols: presets of settings that follow a paper, each a file in `protocols/` that cites section and table.

A file has two tables. `[about]` says what it is, where it comes from, and in what it differs from the paper.
`[settings]` are settings of a run, as in a file of `--config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.config.toml import read_toml
from tasks.errors import InputError, unknown_name

FOLDER = Path(__file__).parent / "protocols"


@dataclass(frozen=True)
class Protocol:
    """A preset of settings.

    Attributes:
        name: Name of the file without suffix.
        title: What it compares, on what.
        source: The paper, its sections and tables.
        differs: In what it does not follow the paper, one sentence each.
        settings: Settings by name, as a TOML file has them.
        text: The file, with its comments.
    """

    name: str
    title: str
    source: str
    differs: tuple[str, ...]
    settings: Mapping[str, Any]
    text: str


def protocols() -> tuple[str, ...]:
    """Names of all protocols, by name; `quick` is the last one."""
    return tuple(sorted((file.stem for file in FOLDER.glob("*.toml")), key=lambda name: (name == "quick", name)))


def read_protocol(name: str, where: str = "--protocol") -> Protocol:
    """The protocol of this name.

    Args:
        where: What the user wrote it in, for messages.

    Raises:
        InputError: There is none.
    """
    if name not in protocols():
        raise unknown_name("protocol", name, protocols(), where=where, listed=protocols())
    file = FOLDER / f"{name}.toml"
    document = read_toml(file)
    about = document["about"]
    text = file.read_text(encoding="utf-8")
    return Protocol(name, about["title"], about["source"], tuple(about["differs"]), document["settings"], text)


def protocol_layer(given: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The origin and the settings of the protocol that a call or a file names; no settings if neither does.

    Args:
        given: Settings of the call. They take precedence.
        settings: Settings of a file.

    Raises:
        InputError: There is no such protocol.
    """
    name = given.get("protocol")
    where = "--protocol" if name is not None else "setting protocol"
    name = settings.get("protocol") if name is None else name
    if not isinstance(name, str):  # not given, or an error that `resolve_config` reports
        return "", {}
    return f"protocol {name}", read_protocol(name, where).settings


def without_errors(given: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """`protocol_layer`; no settings for a wrong name, which `resolve_config` reports."""
    try:
        return protocol_layer(given, settings)
    except InputError:
        return "", {}
