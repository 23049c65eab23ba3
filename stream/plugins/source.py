"""A source from a plug-in."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.content import content_id
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.registry import Origin
from tasks.sources import Source
from tasks.task import Task


@dataclass(frozen=True)
class PluginSource:
    """A source whose code is part of what its data rest on: after a change it is read again, not from the cache."""

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
