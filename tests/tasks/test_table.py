"""CSV as people write it: spaces after commas, the first line of a spreadsheet, other separators."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sources.table import read_table

HEADER = ("text", "label")
Rows = list[tuple[str, str]]
FIELDS = st.text('ab", \n', max_size=8)
ROWS = st.lists(st.tuples(FIELDS.filter(bool), st.sampled_from(["yes", "no", "a, b"])), min_size=1, max_size=5)


def read(folder: Path, content: str) -> Rows:
    path = folder / "data.csv"
    path.write_bytes(content.encode())
    columns = read_table(path, HEADER).columns
    return [(str(text), str(label)) for text, label in zip(columns["text"], columns["label"], strict=True)]


@settings(deadline=None)
@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_a_csv_writers_file_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: Rows, quoting: int) -> None:
    """Also spaces that begin a field, and commas before quotation marks inside one."""
    file = io.StringIO()
    csv.writer(file, quoting=quoting).writerows([HEADER, *rows])  # type: ignore[arg-type]
    assert read(tmp_path_factory.mktemp("csv"), file.getvalue()) == rows


@settings(deadline=None)
@given(ROWS)
def test_spaces_between_quoted_fields_are_skipped(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> None:
    lines = [", ".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    content = "\n".join(["text, label", *lines, "plain, yes"])
    assert read(tmp_path_factory.mktemp("csv"), content) == [*rows, ("plain", "yes")]


def test_a_quotation_mark_inside_a_field_is_a_character(tmp_path: Path) -> None:
    assert read(tmp_path, 'label,text\n1, "Yes" he said\n0, "No"\n') == [(' "Yes" he said', "1"), (' "No"', "0")]
