"""CSV as people write it: spaces after commas, the first line of a spreadsheet, other separators."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import InputError
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


@pytest.mark.parametrize(
    ("name", "header", "separator"),
    [
        ("data.csv", '"text";"label"', "semicolons"),
        ("data.csv", "text;label, kind", "semicolons"),
        ("data.csv", '"id"\t"text"\t"label, kind"', "tabs"),
        ("data.csv", "sep=;", "semicolons"),
        ("data.tsv", '"text";"label"', "semicolons"),
        ("data.tsv", '"text","label"', "commas"),
        ("data.csv", "first|second", "bars"),
    ],
)
def test_another_separator_is_named_whatever_the_header(tmp_path: Path, name: str, header: str, separator: str) -> None:
    (tmp_path / name).write_text(f'{header}\n"a, b";"x"\n', encoding="utf-8")
    with pytest.raises(InputError, match=f"found .*, separated by {separator}; ") as caught:
        read_table(tmp_path / name, HEADER)
    assert repr(header.replace("\t", " ")) in str(caught.value)


def test_a_separator_in_a_name_is_no_separator(tmp_path: Path) -> None:
    assert read(tmp_path, "text,label,a;b;c|d\nash,yes,1\n") == [("ash", "yes")]
    (tmp_path / "data.csv").write_text("words,kind;of\nash,yes\n", encoding="utf-8")
    assert read_table(tmp_path / "data.csv", HEADER).names == ["words", "kind;of"], "the missing columns are told later"


def test_the_first_line_of_a_spreadsheet_is_read_over(tmp_path: Path) -> None:
    for note in ("sep=,", '"sep=,"'):
        assert read(tmp_path, f"\ufeff{note}\r\ntext,label\r\nash,yes\r\n") == [("ash", "yes")]
    with pytest.raises(InputError, match="broken line 3"):
        read(tmp_path, "sep=,\ntext,label\nash\n")
