"""Registries: find an object by its name, in this package and in the plug-ins of a run.

Plug-ins are active only during one run. A context variable adds their names to a registry for the duration of a `with`
block. So two runs in one process, or in two threads, can have different plug-ins with the same name. Functions that
look up a name need no extra argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a plug-in comes from. With this, another process can load the same plug-in and check it.

    Attributes:
        source: Its name for readers: the name of its file, or its distribution with the version.
        sha256: SHA-256 (hexadecimal) of its file, or of the file of the module that an entry point names.
        file: Full path of a file from --plugin; "" for an entry point.
        entry: Group and name of an entry point, such as `taskstream.learners:mine`; "" for a file.
    """

    source: str
    sha256: str
    file: str = ""
    entry: str = ""

    @property
    def key(self) -> str:
        """The part of ids that identifies the plug-in. It has no file name: a renamed file is the same code."""
        return f"{self.source} sha256:{self.sha256}" if self.entry else f"sha256:{self.sha256}"


class Registry(Generic[T]):
    """All known objects of one kind, by name."""

    def __init__(self, kind: str, built_in: Callable[[], Mapping[str, T]]) -> None:
        """
        Args:
            kind: The kind of object: "learner", "metric", "source".
            built_in: Gives the objects of the package by name. Called at each look-up, so it should be cached.
        """
        self.kind = kind
        self.built_in = built_in
        self._added: ContextVar[Mapping[str, tuple[T, Origin]]] = ContextVar(kind)

    def known(self) -> Mapping[str, T]:
        """All objects by name: those of the package first, then those of plug-ins in the order of loading."""
        return {**self.built_in(), **{name: found for name, (found, _) in self._added.get({}).items()}}

    def origin(self, name: str) -> Origin | None:
        """The plug-in that defines a name; None if the package defines it."""
        added = self._added.get({})
        return added[name][1] if name in added else None

    @contextmanager
    def adding(self, more: Mapping[str, tuple[T, Origin]]) -> Iterator[None]:
        """Add objects until the `with` block ends.

        Args:
            more: Objects and their origins, by name.
        """
        token = self._added.set({**self._added.get({}), **more})
        try:
            yield
        finally:
            self._added.reset(token)
