"""What plug-ins define. Its names are in the registries while a `with` block runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stream.plugins.file import Kind
from tasks.registry import Origin, Registry


@dataclass(frozen=True, eq=False)
class Defined:
    """One learner family, metric or source that a plug-in defines.

    Attributes:
        kind: learner, metric or source.
        name: Its name in specifications and options.
        thing: The object: a `Family`, a `Metric` or a `Source` after the check, anything before it.
        origin: The file or entry point that defines it.
        where: File and line, for messages.
        alone: Whether it is defined with FAMILY, METRIC or SOURCE, not in a list (FAMILIES, METRICS). Default: True.
    """

    kind: Kind
    name: str
    thing: Any
    origin: Origin
    where: str
    alone: bool = True


@dataclass(frozen=True, eq=False)
class Plugins:
    """Everything that the plug-ins of a run define."""

    defined: tuple[Defined, ...] = ()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[Plugins]:
        """Register the names for the length of the `with` block."""
        with contextlib.ExitStack() as stack:
            for kind in dict.fromkeys(each.kind for each in self.defined):
                more = {each.name: (_usable(each), each.origin) for each in self.defined if each.kind == kind}
                stack.enter_context(registry(kind).adding(more))
            yield self


def registry(kind: str) -> Registry[Any]:
    """The registry for a kind. Imports are inside the function, because the registry of learners imports torch."""
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
