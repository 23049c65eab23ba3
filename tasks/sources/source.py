"""What every source of tasks can do."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.task import Task


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
