"""Tasks from functions that return columns: the simplest source that a plug-in can define."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tasks.content import canonical, content_id
from tasks.errors import InputError, unknown_name
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.rows import Rows, read_rows
from tasks.sources.cells import CELLS, cell_text
from tasks.suite import TASKS, check_task_name
from tasks.task import Task

FORMAT = "tables 2"  # increase the number if the same columns are read differently
COLUMNS = ("text", "text_b", "label", "split", "score")

Columns = Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Tables:
    """A source in which each task is a function that returns its columns.

    Attributes:
        name: Name of the source, for `--source NAME`.
        tables: One function without arguments per task name. It returns one list per column, all of the same length:
            `text`, and `text_b` for pairs; `label`, or `score` for regression; optionally `split` (train, validation,
            test). Without `split`, splits are derived from the content. Each call must return the same rows.
        unique_labels: Names of the tasks in which a label may occur once or twice only. Default: none; then a task in
            which most labels do is an error.
    """

    name: str
    tables: Mapping[str, Callable[[], Columns]]
    unique_labels: Collection[str] = ()

    def names(self) -> tuple[str, ...]:
        return tuple(check_task_name(name) for name in self.tables)

    def task(self, name: str) -> Task:
        return TASKS[name] if name in TASKS else self.load(name).task

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """Call the function of a task and read its columns.

        Raises:
            InputError: The task does not exist, or its columns are not valid.
        """
        unique = name in self.unique_labels
        return read_rows(name, self._rows(name), where=self._where(name), split_seed=0, unique_labels=unique)

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        known = TASKS.get(name)
        facts = (known.kind, known.metric) if known is not None else ("inferred", "")
        return content_id(FORMAT, name, *facts, canonical(self._columns(name)))

    def _rows(self, name: str) -> Rows:
        columns = self._columns(name)
        return Rows(columns.pop("text"), **{column: columns.get(column) for column in COLUMNS[1:]})  # type: ignore[arg-type]

    def _where(self, name: str) -> str:
        return f"task {name} of source {self.name}"

    def _columns(self, name: str) -> dict[str, list[str]]:
        if name not in self.tables:
            raise unknown_name("task", name, self.tables, where=f"source {self.name}")
        found, where = self.tables[name](), self._where(name)
        if "text" not in found:
            raise InputError("missing column text", where=where, found=f"columns {', '.join(map(str, found))}")
        lengths = {column: len(found[column]) for column in COLUMNS if column in found}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{column} {length}" for column, length in lengths.items())
            raise InputError("columns of different lengths", where=where, expected="one entry per row", found=shown)
        return {column: [_text(value, f"column {column}", where) for value in found[column]] for column in lengths}


def _text(value: object, column: str, where: str) -> str:
    text = cell_text(value)
    if text is None:
        raise InputError(f"{column} holds no text", where=where, expected=CELLS, found=repr(value)[:40])
    return text
