"""Sources of examples. `Source` is the protocol; each kind of source is one class.

`FolderSource` reads files, `HubSource` the Hugging Face hub, `SimulatedSource` generates texts, `FramesSource` reads
tables in memory, `Tables` is for plug-ins. `open_source` gives the source that a user names, `without_effect` what the
user says about it in vain. The names in `__all__` are the public interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from tasks.errors import InputError, unknown_name
from tasks.paths import user_path
from tasks.registry import Registry
from tasks.sources.effect import without_effect
from tasks.sources.folder import FolderSource
from tasks.sources.frames import FramesSource
from tasks.sources.hub import HubSource, read_hub
from tasks.sources.simulated import SimulatedSource, read_simulated
from tasks.sources.source import Source
from tasks.sources.tables import Tables
from tasks.suite import TASKS

__all__ = [
    "FolderSource", "FramesSource", "HubSource", "SimulatedSource", "Source", "Tables",
    "absent", "closed", "drawer", "generated", "open_source", "skipped", "without_effect", "without_twin",
]  # fmt: skip


SOURCES: Registry[Source] = Registry("source", dict)  # sources of plug-ins; ours take arguments, see open_source


def open_source(text: str, columns: Mapping[str, str] | None = None) -> Source:
    """The source that a user names.

    Args:
        text: `folder:DIR`, `hub`, `hub:REVISION`, `hub:OWNER/NAME@REVISION,...`, `simulated[:seed=S][:scale=X]` or
            `frames:DIR`; or the name of a source from a plug-in; or any of these followed by `+frames:DIR`.
        columns: Our column name -> the column name in the files, for folders. Default: the names are equal.

    Raises:
        InputError: The text is not a source, or the folder does not exist.
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
    """The function that gives the names of fresh tasks (`simulated:N`); None if the source generates no tasks."""
    if isinstance(source, FramesSource):
        return None if source.other is None else drawer(source.other)
    return source.draw if isinstance(source, SimulatedSource) else None


def closed(source: Source) -> str:
    """The name of a source whose `names` are all of its tasks; "" if it also has others, or all known tasks."""
    if isinstance(source, FramesSource):
        return source.name if source.other is None else closed(source.other) and source.name
    return source.name if isinstance(source, FolderSource) else ""


def skipped(source: Source) -> tuple[str, ...]:
    """What the folder of a source holds that is no task, one sentence per reason; () for other sources."""
    if isinstance(source, FramesSource):
        return () if source.other is None else skipped(source.other)
    return source.skipped() if isinstance(source, FolderSource) else ()


def absent(source: Source, name: str) -> str:
    """What the folder of a source has under a name that is no task, and why it is none; "" for other sources."""
    if isinstance(source, FramesSource):
        return "" if source.other is None else absent(source.other, name)
    return source.why_absent(name) if isinstance(source, FolderSource) else ""


def without_twin(source: Source, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the named tasks that are known, but that the source would have to generate and cannot; () for others."""
    if isinstance(source, FramesSource):
        return () if source.other is None else without_twin(source.other, [n for n in names if n not in source.names()])
    twins = source.names() if isinstance(source, SimulatedSource) else ()
    return tuple(name for name in names if name in TASKS and name not in twins) if twins else ()


def generated(source: Source, name: str) -> bool:
    """Whether the texts of a task are generated, not read."""
    return isinstance(source.source_of(name) if isinstance(source, FramesSource) else source, SimulatedSource)
