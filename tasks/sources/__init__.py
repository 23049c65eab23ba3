"""Where the examples of a task come from: one protocol, one class for each kind of place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tasks.errors import InputError, unknown_name
from tasks.paths import user_path
from tasks.registry import Registry
from tasks.sources.folder import FolderSource
from tasks.sources.frames import FramesSource
from tasks.sources.hub import HubSource, read_hub
from tasks.sources.simulated import SimulatedSource, read_simulated
from tasks.sources.source import Source
from tasks.sources.tables import Tables

__all__ = ["FolderSource", "FramesSource", "HubSource", "SimulatedSource", "Source", "Tables", "drawer", "open_source"]


SOURCES: Registry[Source] = Registry("source", dict)  # those of plug-ins; ours take arguments and stand below


def open_source(text: str, columns: Mapping[str, str] | None = None) -> Source:
    """The source that a user names.

    Args:
        text: `folder:DIR`, `hub`, `hub:REVISION`, `hub:OWNER/NAME@REVISION,...`, `simulated[:seed=S][:scale=X]`,
            `frames:DIR`, or one of these and the last one, `simulated+frames:DIR`; or the name of a plug-in's source.
        columns: Our column name -> the files' name, for folders.

    Raises:
        InputError: Not a source, or no such folder.
    """
    if text in SOURCES.known():
        return SOURCES.known()[text]
    other, joined, own = text.rpartition("+frames:")
    if joined or text.startswith("frames:"):
        folder = FolderSource(user_path(own if joined else text.removeprefix("frames:"), where="source"), columns or {})
        folder.names()
        return FramesSource(folder, open_source(other, columns) if joined else None)
    kind, _, rest = text.partition(":")
    if kind == "folder" and rest:
        source = FolderSource(user_path(rest, where="source"), dict(columns or {}))
        source.names()
        return source
    if kind == "hub":
        return read_hub(rest)
    if kind == "simulated":
        return read_simulated(text)
    if user_path(text, where="source").is_dir():
        raise InputError(f"unknown source {text!r}", where="source", fix=f"did you mean folder:{text}?")
    if kind == "folder":
        raise InputError("no folder given", where="source", expected="folder:DIR")
    raise unknown_name("source", text, ("folder:DIR", "hub", "simulated", *SOURCES.known()), where="source")


def drawer(source: Source) -> Callable[[str], tuple[str, ...]] | None:
    """What draws new tasks by name (`simulated:N`), where the source can."""
    if isinstance(source, FramesSource):
        return None if source.other is None else drawer(source.other)
    return source.draw if isinstance(source, SimulatedSource) else None
