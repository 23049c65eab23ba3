"""What plug-ins define, and the registries that know it while a run goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stream.plugins.file import Kind
from tasks.registry import Origin, Registry


@dataclass(frozen=True, eq=False)
class Defined:
    """One thing that a plug-in defines.

    Attributes:
        thing: A `Family`, a `Metric` or a `Source`, once it is checked.
        where: File and line, for messages.
        alone: Whether its name, FAMILY rather than FAMILIES, says that it is the only one of its kind there.
    """

    kind: Kind
    name: str
    thing: Any
    origin: Origin
    where: str
    alone: bool = True


@dataclass(frozen=True, eq=False)
class Plugins:
    """What the plug-ins of a run define."""

    defined: tuple[Defined, ...] = ()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[Plugins]:
        """Know their names until the block ends."""
        with contextlib.ExitStack() as stack:
            for kind in dict.fromkeys(each.kind for each in self.defined):
                more = {each.name: (_usable(each), each.origin) for each in self.defined if each.kind == kind}
                stack.enter_context(registry(kind).adding(more))
            yield self


def registry(kind: str) -> Registry[Any]:
    """Where things of a kind are looked up. Imported when asked for: learners need torch."""
    if kind == "learner":
        from learners.specification.family import FAMILIES

        return FAMILIES
    if kind == "metric":
        from stream.results.metrics import METRICS

        return METRICS
    from tasks.sources import SOURCES

    return SOURCES


def _usable(each: Defined) -> Any:
    if each.kind != "source":
        return each.thing
    from stream.plugins.source import PluginSource

    return PluginSource(each.thing, each.origin)
