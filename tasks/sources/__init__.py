"""Where the examples of a task come from: one protocol, a class a kind of place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from tasks.errors import InputError, unknown_name
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.paths import user_path
from tasks.registry import Registry
from tasks.sources.folder import FolderSource
from tasks.sources.hub import HubSource, read_hub
from tasks.sources.simulated import SimulatedSource, read_simulated
from tasks.sources.tables import Tables
from tasks.task import Task

__all__ = ["FolderSource", "HubSource", "SimulatedSource", "Source", "Tables", "open_source"]


@runtime_checkable
class Source(Protocol):
    """A place that has tasks."""

    @property
    def name(self) -> str:
        """What the user writes to name it: "hub", "folder:DIR", "simulated"."""

    def names(self) -> tuple[str, ...]:
        """The tasks it has, those of the paper first, in its order."""

    def task(self, name: str) -> Task:
        """What is known of a task without reading more than needed."""

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """The examples of a task; of a source that makes them, no more than the limits ask for."""

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """A hash of all that `load` depends on, got without parsing where possible; the key of caches."""


SOURCES: Registry[Source] = Registry("source", dict)  # those of plug-ins; ours take arguments and stand below


def open_source(text: str, columns: Mapping[str, str] | None = None) -> Source:
    """The source that a user names.

    Args:
        text: `folder:DIR`, `hub`, `hub:REVISION`, `hub:OWNER/NAME@REVISION,...`, `simulated[:seed=S][:scale=X]`, or
            the name of a plug-in's source.
        columns: Our column name -> the files' name, for folders.

    Raises:
        InputError: Not a source, or no such folder.
    """
    if text in SOURCES.known():
        return SOURCES.known()[text]
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
