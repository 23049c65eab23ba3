"""One data file as columns: CSV, TSV, JSON lines or Parquet, gzipped or not.

Everything stays the text it was: no type is guessed, "NA" and "null" are words. Python's own csv and json readers are
used since they say on which line a file is broken, which a data frame reader does not.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from tasks.errors import InputError

Columns = Mapping[str, Sequence[object]]
SURROGATE = re.compile("[\ud800-\udfff]")  # half a pair, which JSON can write and UTF-8 cannot


def read_table(path: Path) -> Columns:
    """Read a data file; cells of CSV and TSV are strings, those of JSON lines and Parquet what they are there.

    Raises:
        InputError: The file cannot be opened, unpacked, decoded or parsed, or holds no row.
    """
    data = read_bytes(path)
    columns = READERS[file_type(path)](data, str(path))
    if not columns or not next(iter(columns.values())):
        found = f"the header {shown(columns)} only" if columns else "an empty file"
        raise InputError("no rows", where=str(path), expected="a header and rows of text and label", found=found)
    return columns


def shown(names: Iterable[str]) -> str:
    """Column names for a message: on one line, and not the whole of a file taken for a header."""
    text = " ".join(", ".join(names).split())
    return text if len(text) <= 120 else text[:120] + "..."


def file_type(path: Path) -> str:
    """The suffix that tells the format, without `.gz`: ".csv" of data.csv.gz; "" if it is none we read."""
    suffixes = path.name.lower().removesuffix(".gz").rpartition(".")
    return "." + suffixes[2] if suffixes[1] and "." + suffixes[2] in READERS else ""


def file_stem(path: Path) -> str:
    """The name without its format: "data" of data.csv.gz."""
    return path.name[: -len(".gz")].rpartition(".")[0] if path.name.lower().endswith(".gz") else path.stem


def read_bytes(path: Path) -> bytes:
    """The unpacked bytes of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("the file cannot be read", where=str(path), found=error.strerror or str(error)) from error
    if not path.name.lower().endswith(".gz"):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(
            "truncated or damaged gzip file",
            where=str(path),
            found=f"{error} ({len(data):,} bytes)",
            fix="fetch it again",
        ) from error


def _decode(data: bytes, where: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} in line {line}"
        raise InputError("not UTF-8 text", where=where, found=found, fix="save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            "not a text file", where=where, found=f"a NUL character in line {line}", fix="save it as UTF-8 text"
        )
    return text


def _read_csv(data: bytes, where: str) -> Columns:
    return _delimited(_decode(data, where), where, delimiter=",", quoting=csv.QUOTE_MINIMAL)


def _read_tsv(data: bytes, where: str) -> Columns:
    # IANA text/tab-separated-values has no quoting: a quotation mark is a character like any other.
    return _delimited(_decode(data, where), where, delimiter="\t", quoting=csv.QUOTE_NONE)


def _delimited(text: str, where: str, *, delimiter: str, quoting: Literal[0, 3]) -> Columns:
    # The limit of 131,072 characters a field belongs to the whole process: it is only ever raised, to what is needed.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] | None = None
    records: list[list[str]] = []
    try:
        for record in reader:
            if not record:  # blank line
                continue
            if header is None:
                header = [name.strip() for name in record]
                _check_header(header, where)
            elif len(record) != len(header):
                raise InputError(
                    f"broken line {reader.line_num}",
                    where=where,
                    expected=f"{len(header)} fields ({shown(header)})",
                    found=str(len(record)),
                    fix="quote fields that hold the separator" if delimiter == "," else "",
                )
            else:
                records.append(record)
    except csv.Error as error:
        raise InputError(
            f"broken line {reader.line_num}", where=where, found=str(error), fix="check its quotes"
        ) from error
    names = header or []
    return {name: [record[place] for record in records] for place, name in enumerate(names)}


def _check_header(header: Sequence[str], where: str) -> None:
    twice = next((name for place, name in enumerate(header) if name in header[:place]), None)
    if twice is not None:
        raise InputError(f"two columns are called {twice!r}", where=where, found=f"columns {shown(header)}")


def _read_jsonl(data: bytes, where: str) -> Columns:
    records: list[Mapping[str, object]] = []
    for number, line in enumerate(_decode(data, where).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"broken line {number}", where=where, expected="one JSON object a line", found=repr(line[:40])
            ) from error
        if not isinstance(record, dict):
            raise InputError(
                f"broken line {number}", where=where, expected="one JSON object a line", found=repr(line[:40])
            )
        records.append(record)
    names = list(dict.fromkeys(name for record in records for name in record))
    return {name: [record.get(name) for record in records] for name in names}


def _read_parquet(data: bytes, where: str) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
        _check_header(table.column_names, where)
        return {name: table.column(name).to_pylist() for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError("damaged Parquet file", where=where, found=reason, fix="write or fetch it again") from error


def cell_text(value: object) -> str | None:
    """A cell as text, None if it is no scalar or no valid Unicode.

    None and NaN are ""; a whole float is written as an integer, so that labels agree between formats.
    """
    if isinstance(value, str):
        return value if value.isascii() or not SURROGATE.search(value) else None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, bool | int | float) else None


READERS: Mapping[str, Callable[[bytes, str], Columns]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}
