"""Tables in memory as tasks: whatever they come from, the files hold the same, and are written once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tasks.errors import InputError
from tasks.sources import FolderSource, FramesSource, drawer, open_source
from tasks.sources.frames import to_arrow, write_frames

ROWS = {
    "text": [f"word{n} good" if n % 2 else f"word{n} bad" for n in range(40)],
    "label": ["yes" if n % 2 else "no" for n in range(40)],
}


class Protocol:
    """A table that has `__dataframe__` and nothing else."""

    def __dataframe__(self, **more: Any) -> Any:
        return pa.table(ROWS).__dataframe__(**more)


CLASSES = datasets.ClassLabel(names=["no", "yes"])
TABLES = {
    "pandas": pd.DataFrame(ROWS),
    "pandas, any index": pd.DataFrame(ROWS, index=range(100, 140)),
    "pandas categories": pd.DataFrame(ROWS).astype({"label": "category"}),
    "polars": pl.DataFrame(ROWS),
    "polars categories": pl.DataFrame(ROWS).with_columns(pl.col("label").cast(pl.Categorical)),
    "pyarrow": pa.table(ROWS),
    "large strings": pa.table(ROWS, schema=pa.schema({"text": pa.large_string(), "label": pa.large_string()})),
    "reader": pa.RecordBatchReader.from_batches(pa.table(ROWS).schema, pa.table(ROWS).to_batches(max_chunksize=7)),
    "datasets": datasets.Dataset.from_dict(ROWS),
    "class labels": datasets.Dataset.from_dict(
        {"text": ROWS["text"], "label": [int(label == "yes") for label in ROWS["label"]]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
        ),
    ),
    "protocol": Protocol(),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_every_kind_of_table_is_the_same_task(table: Any, tmp_path: Path) -> None:
    found = to_arrow(table)
    assert found.equals(pa.table(ROWS))
    write_frames(tmp_path, {"mine": found}, fixed=False)
    data = open_source(f"frames:{tmp_path}").load("mine")
    write_frames(tmp_path / "other", {"mine": pa.table(ROWS)}, fixed=False)
    assert data.id == FolderSource(tmp_path / "other").load("mine").id
    assert data.task.labels == ("no", "yes")


def test_numbers_missing_values_and_unlabelled_rows(tmp_path: Path) -> None:
    scores = pl.DataFrame({"text": ["a b", "c d", "e f"], "score": [1.5, 2, 3], "split": ["train", "dev", "test"]})
    labels = datasets.Dataset.from_dict(
        {"text": ["a", "b", "c"], "label": [0, 1, -1]},
        features=datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["x", "y"])}),
    )
    assert to_arrow(labels).column("label").to_pylist() == ["x", "y", None]
    write_frames(tmp_path, {"scores": scores}, fixed=False)
    data = open_source(f"frames:{tmp_path}").load("scores")
    assert data.task.kind == "regression"
    assert [float(part.target[0]) for part in (data.train, data.validation, data.test)] == [1.5, 2, 3]


def test_unused_columns_stop_no_table(tmp_path: Path) -> None:
    """Twice the same name, a nested column, a time that Python cannot hold. In use, a name must be unique."""
    many = pa.array([10**15] * 40, pa.timestamp("ms"))
    table = pa.Table.from_arrays(
        [*pa.table(ROWS).columns, many, many, pa.array([[1]] * 40)], names=[*ROWS, "x", "x", "words"]
    )
    write_frames(tmp_path, {"mine": table}, fixed=False)
    write_frames(tmp_path, {"mine": table}, fixed=True)
    assert len(open_source(f"frames:{tmp_path}").load("mine").train) > 0
    with pytest.raises(InputError, match="two columns are called 'x'"):
        open_source(f"frames:{tmp_path}", {"label": "x"}).load("mine")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (pa.array([False, True]), ("False", "True")),
        (pa.array([b"no", "café".encode()]), ("café", "no")),
        (pa.array([b"no", b"ye"], pa.binary(2)), ("no", "ye")),
        (pa.array([date(2024, 5, 1), date(2023, 1, 1)]), ("2023-01-01", "2024-05-01")),
        (pa.array([datetime(2024, 5, 1, 13), datetime(2023, 1, 1)]), ("2023-01-01 00:00:00", "2024-05-01 13:00:00")),
        (pa.array([Decimal("1.00"), Decimal("2.50")]), ("1", "2.5")),
        (pa.array([Decimal("10.00"), Decimal("9.00")]), ("9", "10")),
        (pa.array([1.0, 2.0], pa.float32()), ("1", "2")),
    ],
    ids=str,
)
def test_values_of_plain_meaning_are_labels(values: pa.Array, labels: tuple[str, ...], tmp_path: Path) -> None:
    table = pa.table({"text": ROWS["text"], "label": pa.concat_arrays([values] * 20)})
    write_frames(tmp_path, {"mine": table}, fixed=False)
    assert open_source(f"frames:{tmp_path}").load("mine").task.labels == labels


@pytest.mark.parametrize("cell", [b"\xff\xfe", b"a\0b", [1], {"a": 1}, timedelta(1)], ids=str)
def test_values_without_a_plain_meaning_are_refused(cell: object, tmp_path: Path) -> None:
    write_frames(tmp_path, {"mine": pa.table({"text": ["a", "b"], "label": [cell, cell]})}, fixed=False)
    with pytest.raises(InputError, match="column label, row 1 holds no text; expected valid Unicode text, a number"):
        open_source(f"frames:{tmp_path}").load("mine")


def test_the_positive_class_in_any_case(tmp_path: Path) -> None:
    """Bool labels; F1 named them in small letters."""
    table = pa.table({"text": ROWS["text"], "text_b": ROWS["text"], "label": [True, False] * 20})
    write_frames(tmp_path, {"mrpc": table}, fixed=False)
    task = open_source(f"frames:{tmp_path}").load("mrpc").task
    assert (task.labels, task.positive_class) == (("False", "True"), 1)


def test_a_dict_of_tables_by_split(tmp_path: Path) -> None:
    parts = {"train": pd.DataFrame(ROWS), "dev": pl.DataFrame(ROWS).head(4), "test": pa.table(ROWS).slice(0, 6)}
    write_frames(tmp_path, {"mine": parts}, fixed=False)
    data = open_source(f"frames:{tmp_path}").load("mine")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 4, 6]


@pytest.mark.parametrize("name", ["citation", "README", "manifest", "train", "data", "TEST"])
def test_a_table_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Also one that is no task as a data file in a folder."""
    write_frames(tmp_path, {name: pd.DataFrame(ROWS), "mine": pd.DataFrame(ROWS)}, fixed=False)
    source = open_source(f"frames:{tmp_path}")
    assert set(source.names()) == {name, "mine"}
    assert source.load(name).train.text == source.load("mine").train.text
    write_frames(tmp_path, {name: pl.DataFrame(ROWS)}, fixed=True)


def test_files_are_written_once_and_replaced_only_before_a_run(tmp_path: Path) -> None:
    table, path = pd.DataFrame(ROWS), tmp_path / "mine.parquet"
    write_frames(tmp_path, {"mine": table}, fixed=False)
    before = path.stat().st_mtime_ns, path.read_bytes()
    write_frames(tmp_path, {"mine": pl.DataFrame(ROWS)}, fixed=True)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    with pytest.raises(InputError, match="differs from the one that the run in this folder began with"):
        write_frames(tmp_path, {"mine": table.head(30), "new": table}, fixed=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine.parquet"]
    write_frames(tmp_path, {"new": table}, fixed=True)
    write_frames(tmp_path, {"mine": table.head(30)}, fixed=False)
    assert len(pd.read_parquet(path)) == 30
    path.write_bytes(b"PAR1 no more")
    write_frames(tmp_path, {"mine": table}, fixed=False)
    assert path.read_bytes() == before[1]


def test_text_that_packs_well_is_read(tmp_path: Path) -> None:
    """A packed file may be refused for what it unpacks to; these are not packed."""
    many = pa.table(
        {"text": [f"{'the same words again ' * 20}{n}" for n in range(30_000)], "label": ["yes", "no"] * 15_000}
    )
    write_frames(tmp_path, {"mine": many}, fixed=False)
    assert len(open_source(f"frames:{tmp_path}").load("mine").train) > 0


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong: dict[Any, Any] = {
        "a/b": TABLES["pandas"], 3: TABLES["pandas"], "list": [1, 2], "none": None, "empty": {},
        "splits": {"train": TABLES["pandas"], "final": TABLES["pandas"]},
        "mixed": pd.DataFrame({"text": ["a", 1], "label": [1, 2]}),
    }  # fmt: skip
    with pytest.raises(InputError) as caught:
        write_frames(tmp_path, {**wrong, "good": TABLES["pandas"]}, fixed=False)
    assert [error.where for error in caught.value.errors] == [f"tasks[{name!r}]" for name in wrong]
    assert list(tmp_path.iterdir()) == []


def test_beside_another_source(tmp_path: Path) -> None:
    write_frames(tmp_path, {"mine": TABLES["pandas"], "cola": TABLES["polars"]}, fixed=False)
    source = open_source(f"simulated:seed=3+frames:{tmp_path}")
    assert isinstance(source, FramesSource)
    assert source.name == f"simulated:seed=3+frames:{tmp_path}"
    assert open_source(source.name) == source
    assert source.names()[-1] == "mine"
    assert source.names().count("cola") == 1
    assert source.load("cola").task.labels != source.load("mine").task.labels or len(source.load("cola").train) < 40
    assert source.fingerprint("rte") == open_source("simulated:seed=3").fingerprint("rte")
    assert drawer(source) is not None
    assert drawer(open_source(f"frames:{tmp_path}")) is None
    with pytest.raises(InputError, match="no such folder"):
        open_source("frames:nowhere")
