"""Tasks from tables in memory (pandas, polars, Arrow, datasets): written once as Parquet, then read like a folder."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import InputError, InputErrors
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.files import write_atomic
from tasks.sources.folder import FolderSource
from tasks.sources.source import Source
from tasks.splits import SPELLINGS
from tasks.suite import check_task_name
from tasks.task import Task

FOLDER = "tasks"  # in the folder of a run, where its tables lie
TABLE = "a table of pandas, polars, pyarrow or datasets, or a dict of tables by split"


@dataclass(frozen=True)
class FramesSource:
    """A folder of tasks that `write_frames` has written, alone or beside another source.

    Attributes:
        own: The folder. Its tasks come before tasks of the same name in `other`.
        other: Where every other task comes from; None if there is no other.
    """

    own: FolderSource
    other: Source | None = None

    @property
    def name(self) -> str:
        alone = f"frames:{self.own.directory}"
        return alone if self.other is None else f"{self.other.name}+{alone}"

    def names(self) -> tuple[str, ...]:
        """The tasks of the other source, then those of the folder."""
        return tuple(dict.fromkeys((*(self.other.names() if self.other else ()), *self.own.names())))

    def task(self, name: str) -> Task:
        return self._of(name).task(name)

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        return self._of(name).load(name, limits)

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        return self._of(name).fingerprint(name, limits)

    def _of(self, name: str) -> Source:
        return self.own if self.other is None or name in self.own.names() else self.other


def source_in(source: str, run_folder: Path) -> str:
    """The source of a run by a name that is right where the run's folder lies now: its tables lie in it."""
    other, own, named = source.rpartition("frames:")
    here = run_folder / FOLDER
    return f"{other}frames:{here}" if own and not Path(named).is_dir() and here.is_dir() else source


def write_frames(folder: Path, tables: Mapping[str, object], *, fixed: bool) -> None:
    """Write each table as FOLDER/NAME.parquet, or of a dict of tables each split as FOLDER/NAME/SPLIT.parquet.

    A file that holds an equal table stays as it is.

    Args:
        tables: Task name -> table with the columns of a data file: text, label, and so on.
        fixed: Whether a run has begun with what is there: then another table is an error and changes nothing.

    Raises:
        InputErrors: Everything that is wrong: a name, an object that is no table, a table that differs.
    """
    errors: list[InputError] = []
    found: dict[Path, Any] = {}
    for name, table in tables.items():
        try:
            found |= _files(folder, name, table)
        except InputError as error:
            errors += error.errors
    new = {path: table for path, table in found.items() if not _holds(path, table)}
    if fixed:
        errors += [
            InputError(
                "this table differs from the one that the run in this folder began with",
                where=str(path),
                expected="the same rows and columns",
                fix="give the table of then, or another out",
            )
            for path in new
            if path.exists()
        ]
    if errors:
        raise InputErrors(errors)
    for path, table in new.items():
        write_atomic(path, _parquet(table))


def _files(folder: Path, name: object, table: object) -> dict[Path, Any]:
    """The files of one task and the Arrow table of each."""
    where = f"tasks[{name!r}]"
    if not isinstance(name, str):
        raise InputError("bad task name", where=where, expected="a text", found=type(name).__name__)
    try:
        check_task_name(name)
    except InputError as error:
        raise InputError(error.what, where=where, expected=error.expected, found=error.found) from None
    if not isinstance(table, Mapping):
        return {folder / f"{name}.parquet": to_arrow(table, where)}
    if unknown := [split for split in table if str(split).lower() not in SPELLINGS] or not table:
        found = ", ".join(map(repr, unknown)) if isinstance(unknown, list) else "an empty dict"
        raise InputError("bad splits", where=where, expected="train, validation and test, or some of them", found=found)
    return {folder / name / f"{split}.parquet": to_arrow(part, f"{where}[{split!r}]") for split, part in table.items()}


def to_arrow(table: object, where: str = "table") -> Any:
    """The pyarrow table of any object that has `__arrow_c_stream__` or `__dataframe__`, or is a `datasets.Dataset`.

    Categories become the values they stand for, class labels of `datasets` their names.

    Raises:
        InputError: It is none of these, or Arrow cannot represent it.
    """
    import pyarrow as pa
    from pyarrow.interchange import from_dataframe

    try:
        if hasattr(table, "__arrow_c_stream__"):
            found = pa.table(table)
        elif hasattr(table, "with_format") and hasattr(table, "features"):  # datasets.Dataset
            found = _named(table.with_format("arrow")[:], table.features)
        elif hasattr(table, "__dataframe__"):
            found = from_dataframe(table)
        else:
            raise InputError("not a table", where=where, expected=TABLE, found=type(table).__name__)
        columns = [_plain(column) for column in found.columns]
        return pa.table(dict(zip(found.column_names, columns, strict=True)))
    except (pa.ArrowException, TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        said = " ".join(str(error).split())[:160]
        raise InputError("Arrow cannot represent this table", where=where, expected=TABLE, found=said) from None


def _named(table: Any, features: Mapping[str, Any]) -> Any:
    """Class labels by name; a number that has none, as -1 of unlabelled rows, becomes empty."""
    import pyarrow as pa

    for index, column in enumerate(table.column_names):
        if (names := getattr(features.get(column), "names", None)) is not None:
            known = dict(enumerate(names))
            texts = pa.array([known.get(number) for number in table.column(column).to_pylist()], pa.string())
            table = table.set_column(index, column, texts)
    return table


def _plain(column: Any) -> Any:
    """A column without dictionaries and with one type of text, so that equal values are equal tables."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        values = [_plain(chunk.dictionary).take(chunk.indices) for chunk in column.chunks]
        return pa.chunked_array(values, None if values else _text_or(column.type.value_type))
    return column.cast(_text_or(column.type))


def _text_or(kind: Any) -> Any:
    """The one type of texts for any of them, another type as it is."""
    import pyarrow as pa

    return pa.string() if kind in (pa.large_string(), pa.string_view()) else kind


def _holds(path: Path, table: Any) -> bool:
    """Whether a file holds just this table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return bool(pq.read_table(path, partitioning=None).equals(table))
    except (OSError, pa.ArrowException):
        return False


def _parquet(table: Any) -> bytes:
    """A Parquet file, unpacked: readers refuse files that unpack to many times their size."""
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(table, file, compression="NONE", use_dictionary=False)
    return file.getvalue()
