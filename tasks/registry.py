"""Registries: what a name stands for, in the package itself and in the plug-ins of a run.

A plug-in counts for the length of one run, not for the process: its names are added to a registry by a context
variable and are gone when the `with` block ends. So two runs in one process, or in two threads, can have different
plug-ins of the same name, and functions that look a name up need no further argument for it.
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
    """Where a plug-in comes from, by which another process finds it and knows it again.

    Attributes:
        source: What a reader is told: the name of its file, or its distribution with the version.
        sha256: Of its file, or of the file of the module that an entry point names; hexadecimal.
        file: Full path of a file given by --plugin; "" for an entry point.
        entry: Group and name of an entry point, `taskstream.learners:mine`; "" for a file.
    """

    source: str
    sha256: str
    file: str = ""
    entry: str = ""

    @property
    def key(self) -> str:
        """What enters ids. The name of a file does not: the same code under another name is the same code."""
        return f"{self.source} sha256:{self.sha256}" if self.entry else f"sha256:{self.sha256}"


class Registry(Generic[T]):
    """The known things of one kind, by name."""

    def __init__(self, kind: str, built_in: Callable[[], Mapping[str, T]]) -> None:
        """
        Args:
            kind: What is registered: "learner", "metric", "source".
            built_in: Gives those of the package; called at each look-up, so it should remember them.
        """
        self.kind = kind
        self.built_in = built_in
        self._added: ContextVar[Mapping[str, tuple[T, Origin]]] = ContextVar(kind)

    def known(self) -> Mapping[str, T]:
        """All by name: those of the package first, then those of plug-ins in the order given."""
        return {**self.built_in(), **{name: found for name, (found, _) in self._added.get({}).items()}}

    def origin(self, name: str) -> Origin | None:
        """The plug-in that a name comes from; None for one of the package."""
        added = self._added.get({})
        return added[name][1] if name in added else None

    @contextmanager
    def adding(self, more: Mapping[str, tuple[T, Origin]]) -> Iterator[None]:
        """Know these too until the block ends."""
        token = self._added.set({**self._added.get({}), **more})
        try:
            yield
        finally:
            self._added.reset(token)
