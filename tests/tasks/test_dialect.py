"""The two dialects of TSV: what a csv writer writes and what a raw writer writes are both read back exactly."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.sources.dialect import MANY, RAW, WRITTEN, tsv_quoting
from tasks.sources.table import read_table

Row = tuple[str, str]
FIELDS = st.text('a",', max_size=6) | st.text('ab", é\t\n', max_size=12)
ROWS = st.lists(st.tuples(FIELDS, st.sampled_from(["0", "1", "yes, no"])), min_size=1, max_size=6)
HEADER = ("text", "label")


def lines(content: str) -> list[str]:
    return io.StringIO(content, newline="").readlines()


def read(folder: Path, content: str) -> list[Row]:
    path = folder / "data.tsv"
    path.write_bytes(content.encode())
    columns = read_table(path, HEADER).columns
    return [(str(text), str(label)) for text, label in zip(columns["text"], columns["label"], strict=True)]


def written(rows: list[Row], quoting: int, end: str) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter="\t", quoting=quoting, lineterminator=end).writerows([HEADER, *rows])  # type: ignore[arg-type]
    return file.getvalue()


def raw(rows: list[Row]) -> str:
    return "".join("\t".join(row) + "\n" for row in [HEADER, *rows])


def reads_as_rows(text: str) -> bool:
    """Whether each line of a text, after the quotation mark before it, could be a row of two raw fields."""
    return "\n" in text and all(part.count("\t") == 1 for part in [*text.split("\n")[:-1], text.split("\n")[-1] + "\t"])


@settings(deadline=None)
@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_writes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], quoting: int, end: str
) -> None:
    """Except a text of which each line is a row: that is a raw file with lone quotation marks."""
    assume(not any(reads_as_rows(text) for text, _ in rows))
    assert read(tmp_path_factory.mktemp("tsv"), written(rows, quoting, end)) == rows


ENCLOSED = re.compile(r'"(?:[^"]|"")*"')


@settings(deadline=None)
@given(ROWS)
def test_what_a_raw_writer_writes(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    """Except a file in which each quotation mark stands as a csv writer puts it: nothing tells it from one."""
    rows = [(re.sub("[\t\n]", " ", text), label) for text, label in rows]
    quoted = [text for text, _ in rows if '"' in text]
    assume(not quoted or not all(map(ENCLOSED.fullmatch, quoted)))
    assert read(tmp_path_factory.mktemp("tsv"), raw(rows)) == rows


@pytest.mark.parametrize(
    ("content", "quoting"),
    [
        ('text\tlabel\n"Yes," he said.\t1\n', RAW),
        ('text\tlabel\nHe said "yes"\t1\n', RAW),
        ('text\tlabel\n"lone\t1\nfine\t0\nend"\t1\n', RAW),
        ('text\tlabel\n"\t1\n"\t0\n', RAW),
        ('text\tlabel\n"Well done"\t1\nNot so well\t0\n', RAW),
        ('text\tlabel\n"Well done, all"\t1\nNot so well, but\t0\n', RAW),
        ('text\tlabel\n"open\t1\n', RAW),
        ("text\tlabel\n" + '"Well done"\t1\n' * (MANY - 1), RAW),
        ("text\tlabel\n" + '"Well done"\t1\n' * MANY + "Not so well\t0\n", RAW),
        ("text\tlabel\n" + '"Well done"\t1\n' * MANY + 'Not so well\t"0"\n', RAW),
        ("text\tlabel\n" + '"Well done"\t1\n' * MANY + '"Yes," he said.\t0\n', RAW),
        ("text\tlabel\n" + '"Well done"\t1\n' * MANY, WRITTEN),
        ('"text"\t"label"\nNA\t1\n"Well done"\t0\n', WRITTEN),
        ('text\tlabel\n"He said ""yes"""\t1\n', WRITTEN),
        ('text\tlabel\n"two\nlines"\t1\n', WRITTEN),
        ('text\tlabel\n"a\ttab"\t1\n', WRITTEN),
        ('text\tlabel\n""\t1\n', WRITTEN),
        ('"text"\tlabel\n"Well done"\t1\n', WRITTEN),
        ('text\tlabel\n"Well done, all"\t1\nNot so well\t0\n', WRITTEN),
        ('"text"\t"label"\n"Well done"\t"1"\n', WRITTEN),
    ],
)
def test_what_tells_them_apart(content: str, quoting: int) -> None:
    assert tsv_quoting(lines(content)) == quoting


@pytest.mark.parametrize("header", [True, False], ids=["quoted header", "plain header"])
def test_texts_in_quotation_marks_beside_numbers(tmp_path: Path, header: bool) -> None:
    """As pandas writes them with QUOTE_NONNUMERIC, and R's `write.table(sep="\\t", row.names=FALSE)`."""
    rows = [(f"word {n}", n % 2) for n in range(MANY)]
    content = pd.DataFrame(rows, columns=HEADER).to_csv(sep="\t", index=False, quoting=csv.QUOTE_NONNUMERIC)
    assert content.startswith('"text"\t"label"\n"word 0"\t0\n')
    content = content if header else content.replace('"text"\t"label"', "text\tlabel")
    assert read(tmp_path, content) == [(text, str(label)) for text, label in rows]


def test_lone_quotation_marks_swallow_no_rows(tmp_path: Path) -> None:
    rows = [('"Oh', "1"), ("why", "0"), ('not"', "1"), ('5" pipe', "0"), ('"', "1")]
    assert read(tmp_path, raw(rows)) == rows
    rows = [('"To be', "1"), *[(f"line {i}", "0") for i in range(1000)], ('or not"', "1")]
    assert read(tmp_path, raw(rows)) == rows


def test_one_mark_before_megabytes_costs_no_memory() -> None:
    """And ends the search at the length of the longest row, whatever follows."""

    def endless() -> object:
        yield 'text\tlabel\n"open\t1\n'
        for _ in range(9_000):
            yield "x" * 1_000 + "\n"
        raise AssertionError("read on")

    assert tsv_quoting(endless()) == RAW  # type: ignore[arg-type]
