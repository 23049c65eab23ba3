"""Tasks from a folder: DIR/NAME/ with one data file or one file per split, or DIR/NAME.csv (or another format)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tasks.content import content_id
from tasks.errors import InputError, unknown_name
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.rows import Rows, mapped, read_rows
from tasks.sources.cells import CELLS, cell_text
from tasks.sources.listing import FORMATS, NO_DATA, data_files, entries, name_of, skipped, why_no_task
from tasks.sources.mapping import COLUMNS, UNIQUE, check_mapping, keys_of
from tasks.sources.table import Table, file_stem, read_table
from tasks.sources.target import TARGETS, chosen_target, how_to_choose
from tasks.sources.text import check_text, shown
from tasks.splits import SPELLINGS
from tasks.suite import TASKS, check_task_name, paper_order
from tasks.task import Task

FORMAT = "folder 3"  # increase the number if the same bytes are read differently


@dataclass(frozen=True)
class FolderSource:
    """Tasks that are files in a folder.

    Attributes:
        directory: The folder. Each folder or data file in it is a task with its name.
        columns: Our column name -> the column name in the files, if they differ, for all tasks or for one:
            {"text": "sentence", "rte.text_b": "hypothesis"}. `unique_label` instead of `label` confirms a label column
            that `tasks.rows.read_rows` asks about. Default: none differ.
        split_seed: Seed of the content hash that derives missing splits. Default: 0.
    """

    directory: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_mapping(self.columns)

    @property
    def name(self) -> str:
        return f"folder:{self.directory}"

    def names(self) -> tuple[str, ...]:
        """Names of all tasks in the folder: the paper's tasks first, in its order.

        Raises:
            InputError: The folder does not exist, or has no task.
        """
        if not self.directory.is_dir():
            raise InputError(
                "no such folder", where=str(self.directory), fix="give a folder that holds one folder or file per task"
            )
        found = [name_of(entry) for entry in entries(self.directory) if not why_no_task(entry)]
        if not found:
            parts = [entry.name for entry in entries(self.directory)]
            raise InputError(
                "no task in this folder",
                where=str(self.directory),
                expected=f"one folder or file per task; files are {FORMATS}",
                found=shown(parts) or "an empty folder",
                fix=f"give the folder above it, folder:{self.directory.resolve().parent}"
                if data_files(self.directory)
                else "",
            )
        return paper_order(found)

    def has(self, name: str) -> bool:
        """Whether the folder has a task with this name. Quicker than `names` in a large folder."""
        return any(name_of(entry) == name and not why_no_task(entry) for entry in entries(self.directory, name))

    def skipped(self) -> tuple[str, ...]:
        """What in the folder is no task, and why: one sentence per reason."""
        return tuple(f"not a task: {shown(names)} ({why})" for why, names in skipped(self.directory).items())

    def why_absent(self, name: str) -> str:
        """What the folder has under a name that is no task, and why it is none; "" if it has nothing."""
        reasons = ((entry.name, why_no_task(entry)) for entry in self._entries(name))
        return ", ".join(f"{entry} ({why})" for entry, why in reasons if why)

    def task(self, name: str) -> Task:
        """The known task with this name, or a new task inferred from the files.

        Raises:
            InputError: The task has no files, or its kind cannot be inferred from them.
        """
        self.files(name)
        return TASKS[name] if name in TASKS else self.load(name).task

    def files(self, name: str) -> tuple[Path, ...]:
        """The data files of a task: one, or one per split.

        Raises:
            InputError: The task does not exist, has no data file, or has several files that are not splits.
        """
        check_task_name(name)
        same = self._entries(name)
        found = [entry for entry in same if not why_no_task(entry)]
        if name not in map(name_of, found):
            known = self.names()
            if empty := next((entry for entry in same if why_no_task(entry) == NO_DATA), None):
                inside = shown(path.name for path in entries(empty)) or "an empty folder"
                raise InputError("no data file", where=str(empty), expected=f"a file {FORMATS}", found=inside)
            raise unknown_name(
                "task", name, known, where=str(self.directory), listed=known, found=self.why_absent(name)
            )
        if len(found) > 1:
            raise InputError(
                f"cannot choose between these data files of task {name}",
                where=str(self.directory),
                expected="one folder or file of this name, in whatever capitals",
                found=shown(path.name for path in found),
            )
        files = data_files(found[0]) if found[0].is_dir() else found
        splits = [SPELLINGS.get(file_stem(path).lower()) for path in files]
        if len(files) > 1 and (None in splits or len(set(splits)) < len(splits)):
            raise InputError(
                "cannot choose between these data files",
                where=str(found[0]),
                expected="one data file, or one each of train, validation and test",
                found=shown(path.name for path in files),
            )
        return tuple(files)

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """Read all rows of a task. The limits have no effect.

        Raises:
            InputError: The files are not valid.
        """
        files = self.files(name)
        columns = self.columns_of(name)
        insisted = columns.pop(UNIQUE, None)
        if insisted is not None:
            columns["label"] = insisted
        target = chosen_target(name, self.columns)
        used = [ours for ours in COLUMNS if not target or ours == target or ours not in TARGETS]
        tables = {path: read_table(path, {columns.get(ours, ours) for ours in used} - {""}) for path in files}
        parts = [_rows(path, table, columns, used, is_split=len(files) > 1) for path, table in tables.items()]
        where = str(files[0]) if len(files) == 1 else str(self.directory / name)
        data = read_rows(
            name,
            _join(parts, where),
            where=where,
            split_seed=self.split_seed,
            unique_labels=insisted is not None,
            choose=how_to_choose(name, columns),
        )
        unread = sum(table.unread for table in tables.values())
        note = (f"values in columns without a name are not read (rows: {unread})",) if unread else ()
        return replace(data, notes=(*note, *data.notes))

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """SHA-256 of everything that `load` depends on: file bytes, column mapping, target, seed, kind and
        metric.

        Does not parse the files.
        """
        known = TASKS.get(name)
        facts = (known.kind, known.metric) if known is not None else ("inferred", "")
        mapped = repr(sorted(self.columns_of(name).items()))
        parts = [name, *facts, str(self.split_seed), mapped, chosen_target(name, self.columns)]
        for path in self.files(name):
            try:
                with path.open("rb") as file:
                    parts += [path.name, hashlib.file_digest(file, "sha256").hexdigest()]
            except OSError as error:
                raise InputError(
                    "the file cannot be read", where=str(path), found=error.strerror or str(error)
                ) from error
        return content_id(FORMAT, *parts)

    def _entries(self, name: str) -> list[Path]:
        """The files and folders with the name of a task, in any capitals, whether or not they are tasks."""
        return [entry for entry in entries(self.directory, name) if name_of(entry).casefold() == name.casefold()]

    def columns_of(self, name: str) -> dict[str, str]:
        """The column mapping of one task: the mapping for all tasks, overridden by the task's own (`NAME.column`)."""
        keys = keys_of(self.columns, name)
        return {column: self.columns[key] for column, key in keys.items()}


def _rows(path: Path, table: Table, columns: Mapping[str, str], used: Sequence[str], *, is_split: bool) -> Rows:
    """The columns that we use of one file.

    Args:
        used: Our names of these columns.
        is_split: Whether the file holds one split. Its name is then the name of the split, and a test file may have no
            labels.
    """
    length = table.rows
    chosen: dict[str, list[str] | None] = {}
    for ours in used:
        theirs = columns.get(ours, ours)
        if theirs in table.columns:
            values = enumerate(table.columns[theirs], start=1)
            chosen[ours] = [_cell(value, theirs, row, path) for row, value in values]
        elif ours == "text" or ours in columns:
            fix = f"map yours to it: {mapped(ours)}"  # a name that was mapped may be that of another task's file
            raise InputError(
                f"missing column {theirs}", where=str(path), found=f"columns {shown(table.names)}", fix=fix
            )
    if is_split:
        chosen["split"] = [file_stem(path)] * length
    hidden = is_split and SPELLINGS[file_stem(path).lower()] == SPELLINGS["test"]
    if "label" not in chosen and "score" not in chosen and not hidden:
        fix = f"name it label, or map yours to it: {mapped('label')}"
        raise InputError("missing column label", where=str(path), found=f"columns {shown(table.names)}", fix=fix)
    text = chosen.pop("text")
    assert text is not None
    return Rows(text, number=range(1, length + 1), **chosen)


def _cell(value: object, column: str, row: int, path: Path) -> str:
    text = cell_text(value)
    if text is None:
        found = repr(value)[:40]
        raise InputError(
            f"column {column}, row {row} holds no text",
            where=str(path),
            expected=CELLS,
            found=found,
        )
    return check_text(text, str(path), f"column {column}, row {row}")


def _join(parts: list[Rows], where: str) -> Rows:
    """Concatenate the rows of several files. If some files lack a target column, it is blank in their rows."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, list[str] | None] = {}
    for column in COLUMNS:
        values = [getattr(part, column) for part in parts]
        if column == "text_b" and None in values and any(value is not None for value in values):
            raise InputError(
                "some of the files lack column text_b", where=where, expected="the same columns in every file"
            )
        if any(value is not None for value in values):
            blanks = [
                value if value is not None else [""] * len(part) for value, part in zip(values, parts, strict=True)
            ]
            joined[column] = [cell for value in blanks for cell in value]
    text = joined.pop("text")
    assert text is not None
    return Rows(text, number=[number for part in parts for number in part.number], **joined)
