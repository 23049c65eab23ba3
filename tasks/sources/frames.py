"""Tasks from tables in memory: pandas, polars, Arrow or datasets.

They are written once as Parquet files. After that they are read like a folder.
"""

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
from tasks.sources.listing import why_no_name
from tasks.sources.source import Source
from tasks.splits import SPELLINGS
from tasks.suite import check_task_name
from tasks.task import Task

FOLDER = "tasks"  # subfolder of a run's folder that holds its tables
TABLE = "a table of pandas, polars, pyarrow or datasets, or a dict of tables by split"


@dataclass(frozen=True)
class FramesSource:
    """A folder of tasks that `write_frames` has written, alone or together with another source.

    Attributes:
        own: The folder. Its tasks take precedence over tasks of the same name in `other`.
        other: The source of all other tasks. Default: None, there is no other source.
    """

    own: FolderSource
    other: Source | None = None

    @property
    def name(self) -> str:
        alone = f"frames:{self.own.directory}"
        return alone if self.other is None else f"{self.other.name}+{alone}"

    def names(self) -> tuple[str, ...]:
        """Names of the tasks of the other source, then of the folder."""
        return tuple(dict.fromkeys((*(self.other.names() if self.other else ()), *self.own.names())))

    def task(self, name: str) -> Task:
        return self.source_of(name).task(name)

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        return self.source_of(name).load(name, limits)

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        return self.source_of(name).fingerprint(name, limits)

    def source_of(self, name: str) -> Source:
        """The source that a task comes from."""
        return self.own if self.other is None or self.own.has(name) else self.other


def source_in(source: str, run_folder: Path) -> str:
    """The name of a run's source, corrected if the run's folder has moved. The tables are in that folder.

    Args:
        source: Name of the source as recorded, such as `simulated+frames:DIR`.
        run_folder: The run's folder now.
    """
    other, own, named = source.rpartition("frames:")
    here = run_folder / FOLDER
    return f"{other}frames:{here}" if own and not Path(named).is_dir() and here.is_dir() else source


def write_frames(folder: Path, tables: Mapping[str, object], *, fixed: bool) -> None:
    """Write tables as Parquet files: FOLDER/NAME.parquet, or FOLDER/NAME/SPLIT.parquet for a dict of tables by split.

    A name that a data file cannot have, such as `train`, becomes that of a folder: FOLDER/train/data.parquet. A file
    with an equal table is not written again. If there is any error, no file changes.

    Args:
        tables: Task name -> table, or dict of tables by split. Columns as in a data file: text, label, and so on.
        fixed: Whether a run has started with the files in this folder. If so, a different table is an error.

    Raises:
        InputErrors: All errors: bad names, objects that are not tables, tables that differ.
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
                fix="give the same table, or another folder as `out`",
            )
            for path in new
            if path.exists()
        ]
    if errors:
        raise InputErrors(errors)
    for path, table in new.items():
        write_atomic(path, _parquet(table, str(path)))


def _files(folder: Path, name: object, table: object) -> dict[Path, Any]:
    """Path and Arrow table of each file of one task."""
    where = f"tasks[{name!r}]"
    if not isinstance(name, str):
        raise InputError("bad task name", where=where, expected="a text", found=type(name).__name__)
    try:
        check_task_name(name)
    except InputError as error:
        raise InputError(error.what, where=where, expected=error.expected, found=error.found) from None
    if not isinstance(table, Mapping):
        file = f"{name}/data.parquet" if why_no_name(name) else f"{name}.parquet"  # any name can be a folder's
        return {folder / file: to_arrow(table, where)}
    if unknown := [split for split in table if str(split).lower() not in SPELLINGS] or not table:
        found = ", ".join(map(repr, unknown)) if isinstance(unknown, list) else "an empty dict"
        raise InputError("bad splits", where=where, expected="train, validation and test, or some of them", found=found)
    return {folder / name / f"{split}.parquet": to_arrow(part, f"{where}[{split!r}]") for split, part in table.items()}


def to_arrow(table: object, where: str = "table") -> Any:
    """Convert a table to pyarrow: any object with `__arrow_c_stream__` or `__dataframe__`, or a `datasets.Dataset`.

    Categories are replaced by their values, and class labels of `datasets` by their names.

    Args:
        where: The name of the table, for messages. Default: "table".

    Raises:
        InputError: The object is not a table, or Arrow cannot represent it.
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
        return pa.Table.from_arrays([_plain(column) for column in found.columns], names=found.column_names)
    except (pa.ArrowException, TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        said = " ".join(str(error).split())[:160]
        raise InputError("Arrow cannot represent this table", where=where, expected=TABLE, found=said) from None


def _named(table: Any, features: Mapping[str, Any]) -> Any:
    """Replace class labels by their names. A number without a name, such as -1 of unlabelled rows, becomes null."""
    import pyarrow as pa

    for index, column in enumerate(table.column_names):
        if (names := getattr(features.get(column), "names", None)) is not None:
            name_of = dict(enumerate(names))
            texts = pa.array([name_of.get(number) for number in table.column(column).to_pylist()], pa.string())
            table = table.set_column(index, column, texts)
    return table


def _plain(column: Any) -> Any:
    """A column without dictionaries and with one type for texts, so that tables with equal values are equal."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        values = [_plain(chunk.dictionary).take(chunk.indices) for chunk in column.chunks]
        return pa.chunked_array(values, None if values else _text_or(column.type.value_type))
    return column.cast(_text_or(column.type))


def _text_or(kind: Any) -> Any:
    """`string` for any type of text; any other type unchanged."""
    import pyarrow as pa

    return pa.string() if kind in (pa.large_string(), pa.string_view()) else kind


def _holds(path: Path, table: Any) -> bool:
    """Whether a file exists and holds an equal table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # unlike `pq.read_table`, it reads columns of equal names
            return bool(file.read().equals(table))
    except (OSError, pa.ArrowException):
        return False


def _parquet(table: Any, where: str) -> bytes:
    """A table as the bytes of a Parquet file. Not compressed: `check_ratio` rejects files with a high ratio."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    try:
        pq.write_table(table, file, compression="NONE", use_dictionary=False)
    except pa.ArrowException as error:
        said = " ".join(str(error).split())[:160]
        raise InputError("Parquet cannot represent this table", where=where, found=said) from None
    return file.getvalue()
