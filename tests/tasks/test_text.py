"""Lines of data files: as Python's own reading gives them, within bounds, and the place of every fault."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.sources import text
from tasks.sources.text import check_text, read_lines, unpacked


@given(st.text(alphabet='aé€😀,"\n\r\ufeff', max_size=60), st.integers(1, 9))
def test_lines_are_those_of_the_whole_text(tmp_path_factory: pytest.TempPathFactory, content: str, chunk: int) -> None:
    """Wherever the chunks cut a character or a line end in two."""
    path = tmp_path_factory.mktemp("text") / "data.csv"
    path.write_bytes(content.encode("utf-8-sig"))
    with patch.object(text, "CHUNK", chunk):
        assert list(read_lines(path)) == io.StringIO(content, newline="").readlines()


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\nc\xe9d\n", "not UTF-8 text; found byte 0xe9 in line 3"),
        (b"a\nb\n\xf0\x9f\x98", "not UTF-8 text; found byte 0xf0 in line 3"),
        (b"a\nb\nc\0\n", "found a NUL character in line 3"),
    ],
    ids=["latin-1", "cut character", "NUL"],
)
def test_faults_have_a_line(tmp_path: Path, content: bytes, message: str, chunk: int) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with patch.object(text, "CHUNK", chunk), pytest.raises(InputError, match=message):
        list(read_lines(path))


@pytest.mark.parametrize("end", ["", "\n", "\r\nmore"])
def test_a_line_may_be_long_but_not_endless(tmp_path: Path, end: str) -> None:
    path = tmp_path / "data.csv"
    with patch.object(text, "MAX_LINE", 100), patch.object(text, "CHUNK", 16):
        path.write_bytes(b"head\n" + b"x" * (100 - len(end.rstrip("more"))) + end.encode())
        assert len(list(read_lines(path))) >= 2
        path.write_bytes(b"head\n" + b"x" * 101 + end.encode())
        with pytest.raises(InputError, match="line 2 is too long"):
            list(read_lines(path))


def test_nothing_of_a_damaged_packed_file_is_given_out(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    whole = gzip.compress(b"row\n" * 1000, mtime=0)
    path.write_bytes(whole)
    assert b"".join(unpacked(path)) == b"row\n" * 1000
    path.write_bytes(whole + whole)
    assert b"".join(unpacked(path)) == b"row\n" * 2000
    for damaged in (whole[:-1], whole[:-8] + bytes(8), whole[:20] + b"!" + whole[21:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="truncated or damaged gzip file"):
            next(unpacked(path))


def test_a_packed_file_may_unpack_to_a_hundred_times_its_size(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"row\n" * 10_000, mtime=0))
    assert 100 * path.stat().st_size < 40_000
    assert len(b"".join(unpacked(path))) == 40_000, "a small file may be as packed as it likes"
    with patch.object(text, "RATIO_FREE", 1000), pytest.raises(InputError, match="at most 100 times its"):
        next(unpacked(path))


def test_a_text_has_a_limit() -> None:
    assert len(check_text("x" * 1_000_000, "file", "column text, row 1")) == 1_000_000
    with pytest.raises(InputError, match="file: the text in column text, row 7 is too long; expected at most 1,000,"):
        check_text("x" * 1_000_001, "file", "column text, row 7")
