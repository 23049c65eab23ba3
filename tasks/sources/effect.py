"""Check that what a user writes about a source has an effect on at least one task of the stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tasks.errors import InputError, unknown_name
from tasks.sources.folder import FolderSource
from tasks.sources.frames import FramesSource
from tasks.sources.hub import HubSource
from tasks.sources.mapping import UNIQUE, keys_of
from tasks.sources.source import Source
from tasks.sources.target import chosen_target
from tasks.suite import TASKS, known_name


def without_effect(source: Source, columns: Mapping[str, str], names: Sequence[str]) -> Iterator[InputError]:
    """One error for each part of the settings that no task of the stream uses: a column, a revision.

    Args:
        source: The source of the stream's tasks.
        columns: The column mapping of the settings, as in `FolderSource`.
        names: Names of the tasks of the stream.
    """
    read = {name: folder for name in names if (folder := _folder_of(source, name)) is not None}
    used = {key for name, folder in read.items() for key in _used_keys(folder, columns, name)}
    for key, theirs in columns.items():
        if key not in used:
            yield _unused_column(source, f"--column {key}={theirs}", key, read, names)
    if isinstance(source, HubSource):
        yield from _unused_revisions(source, names)


def _folder_of(source: Source, name: str) -> FolderSource | None:
    """The folder from which a task is read; None if it is not read from files."""
    if isinstance(source, FramesSource):
        source = source.source_of(name)
    return source if isinstance(source, FolderSource) else None


def _used_keys(folder: FolderSource, columns: Mapping[str, str], name: str) -> Iterator[str]:
    """The keys of the mapping with which the files of a task are read."""
    kind = TASKS[name].kind if name in TASKS else None
    target = chosen_target(name, columns)
    for column, key in keys_of(columns, name).items():
        unread = (
            (column == "text_b" and kind == "single")
            or (column == "score" and target == "label")
            or (column in ("label", UNIQUE) and target == "score")
            or (column == "split" and len(folder.files(name)) > 1)  # the names of the files are the splits
        )
        if not unread:
            yield key


def _unused_column(
    source: Source, where: str, key: str, read: Mapping[str, FolderSource], names: Sequence[str]
) -> InputError:
    task, _, column = key.rpartition(".")
    if task and known_name(task) not in names:
        return unknown_name("task", task, read or names, where=where, listed=read or names)
    if not read or (task and known_name(task) not in read):
        found = f"source {source.name}"
        return InputError("only files and tables have columns to map", where=where, expected="folder:DIR", found=found)
    reasons = {
        "split": "each of its files is one split",
        "text_b": "a task of single texts",
        "score": "a task with labels",
        "label": "a task whose score is the target",
    }
    why = reasons.get(column, "") if task else ""
    return InputError(f"{column} is read from this column for no task", where=where, found=why, fix="leave it out")


def _unused_revisions(source: HubSource, names: Sequence[str]) -> Iterator[InputError]:
    repositories = {task.hub.repository for name in names if (task := TASKS.get(name)) and task.hub}
    for repository, revision in source.pins.items():
        if repository not in repositories:
            where = f"source hub:{repository}@{revision}"
            yield InputError("no task of the stream comes from this repository", where=where, fix="leave it out")
    if source.revision is not None and repositories <= set(source.pins):
        where = f"source hub:{source.revision}"
        yield InputError("every repository of the stream has a revision of its own", where=where, fix="leave it out")
