"""The protocol that each source of tasks implements."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.task import Task


@runtime_checkable
class Source(Protocol):
    """A source of tasks and their examples."""

    @property
    def name(self) -> str:
        """The text with which a user selects it: "hub", "folder:DIR", "simulated"."""

    def names(self) -> tuple[str, ...]:
        """Names of its tasks: the paper's tasks first, in its order."""

    def task(self, name: str) -> Task:
        """A task without its examples. Reads no more data than necessary."""

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """The examples of a task.

        Args:
            limits: Maximum numbers of rows. A source that generates rows generates no more; others may ignore the
                limits. Default: no limits.
        """

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """A hash of everything that `load` depends on, for cache keys. Computed without parsing if possible."""
