"""A source that a plug-in defines."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.content import content_id
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.registry import Origin
from tasks.sources import Source
from tasks.task import Task


@dataclass(frozen=True)
class PluginSource:
    """A source that a plug-in defines. Its fingerprints include the hash of its code, so that changed code does not use
    data from the cache.

    Attributes:
        source: The source itself, to which all methods delegate.
        origin: The file or entry point that defines it.
    """

    source: Source
    origin: Origin

    @property
    def name(self) -> str:
        return self.source.name

    def names(self) -> tuple[str, ...]:
        return self.source.names()

    def task(self, name: str) -> Task:
        return self.source.task(name)

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        return self.source.load(name, limits)

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        return content_id("plugin source", self.origin.key, self.source.fingerprint(name, limits))
