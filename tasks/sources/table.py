"""Read one data file as columns: CSV, TSV, JSON lines or Parquet, gzipped or not.

No type is guessed, so "NA" and "null" are words. We use Python's csv and json readers because, unlike the readers of
data frames, they give the line of an error.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tasks.errors import InputError
from tasks.sources.text import MAX_COLUMNS, MAX_LINE, check_ratio, read_lines, unpacked

Columns = Mapping[str, Sequence[object]]
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair: valid in JSON, but not in UTF-8

QUOTES = "check its quotation marks"


def read_table(path: Path) -> Columns:
    """Read a data file: column name -> values. Values of CSV and TSV are strings, others keep their type.

    Raises:
        InputError: The file cannot be opened, unpacked, decoded or parsed, or has no rows.
    """
    columns = READERS[file_type(path)](path)
    if not columns or not next(iter(columns.values())):
        found = f"the header {shown(columns)} only" if columns else "an empty file"
        raise InputError("no rows", where=str(path), expected="a header and rows of text and label", found=found)
    return columns


def shown(names: Iterable[str]) -> str:
    """Names as one line for a message, at most 120 characters: a broken header can be as long as the file."""
    text = " ".join(", ".join(names).split())
    return text if len(text) <= 120 else text[:120] + "..."


def file_type(path: Path) -> str:
    """The suffix of the format, without `.gz`: ".csv" for data.csv.gz. "" for a format that we do not read."""
    suffixes = path.name.lower().removesuffix(".gz").rpartition(".")
    return "." + suffixes[2] if suffixes[1] and "." + suffixes[2] in READERS else ""


def file_stem(path: Path) -> str:
    """The file name without its format: "data" for data.csv.gz."""
    return path.name[: -len(".gz")].rpartition(".")[0] if path.name.lower().endswith(".gz") else path.stem


def _read_csv(path: Path) -> Columns:
    return _delimited(path, delimiter=",", quoting=csv.QUOTE_MINIMAL)


def _read_tsv(path: Path) -> Columns:
    # IANA text/tab-separated-values has no quoting: a quotation mark is a normal character.
    return _delimited(path, delimiter="\t", quoting=csv.QUOTE_NONE)


def _delimited(path: Path, *, delimiter: str, quoting: Literal[0, 3]) -> Columns:
    where = str(path)
    # The limit of 131,072 characters per field is global to the process. So only increase it, to the value we need.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    begin, size = 1, 0  # first line and size of the current row; a quoted field can span lines

    def lines() -> Iterator[str]:
        nonlocal size
        for line in read_lines(path):
            size += len(line)
            if size > MAX_LINE:
                raise InputError(
                    f"the row that starts in line {begin} does not end",
                    where=where,
                    expected=f"at most {MAX_LINE:,} characters",
                    fix=QUOTES,
                )
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] = []
    columns: list[list[str]] = []
    try:
        for record in reader:
            if not record:  # blank line
                pass
            elif not header:
                header = [name.strip() for name in record]
                _check_header(header, where)
                columns = [[] for _ in header]
            elif len(record) != len(header):
                raise InputError(
                    f"broken line {begin}",
                    where=where,
                    expected=f"{len(header)} fields ({shown(header)})",
                    found=str(len(record)),
                    fix="quote fields that hold the separator" if delimiter == "," else "",
                )
            else:
                for column, cell in zip(columns, record, strict=True):
                    column.append(cell)
            begin, size = reader.line_num + 1, 0
    except csv.Error as error:
        ended = "unexpected end of data" in str(error)
        line = begin if ended else reader.line_num
        found = "a quotation mark that is not closed" if ended else str(error)
        raise InputError(f"broken line {line}", where=where, found=found, fix=QUOTES) from error
    return dict(zip(header, columns, strict=True))


def _check_header(header: Sequence[str], where: str) -> None:
    if len(header) > MAX_COLUMNS:
        found = f"{len(header):,}, from {shown(header[:3])} on"
        raise InputError("too many columns", where=where, expected=f"at most {MAX_COLUMNS:,}", found=found)
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"two columns are called {twice!r}", where=where, found=f"columns {shown(header)}")


def _read_jsonl(path: Path) -> Columns:
    where = str(path)
    columns: dict[str, list[object]] = {}
    rows = 0
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            found = repr(line.strip()[:40])
            raise InputError(f"broken line {number}", where=where, expected="one JSON object per line", found=found)
        if new := [name for name in record if name not in columns]:
            columns |= {name: [None] * rows for name in new}
            _check_header(tuple(columns), where)
        rows += 1
        for name, values in columns.items():
            values.append(record.get(name))
    return columns


def _read_parquet(path: Path) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def opened(**more: Any) -> Any:
        return pq.ParquetFile(io.BytesIO(data) if packed else path, **more)

    packed = path.name.lower().endswith(".gz")
    data = b"".join(unpacked(path)) if packed else b""
    try:
        with opened() as file:
            schema, parts = file.schema_arrow, [file.metadata.row_group(i) for i in range(file.num_row_groups)]
            check_ratio(
                sum(part.column(i).total_uncompressed_size for part in parts for i in range(part.num_columns)), path
            )
        _check_header(schema.names, str(path))
        texts = [column.name for column in schema if column.type in (pa.string(), pa.large_string())]
        size, columns = 0, {name: [] for name in schema.names}  # type: int, dict[str, list[object]]
        # Check the size of texts before decoding dictionaries: one kilobyte can decode to a terabyte.
        with opened(read_dictionary=texts) as file:
            for batch in file.iter_batches(1000):
                size += batch.num_rows * batch.num_columns + sum(_text_bytes(column) for column in batch.columns)
                check_ratio(size, path)
                for name, column in zip(schema.names, batch.columns, strict=True):
                    columns[name] += column.to_pylist()
        return columns
    except (pa.ArrowException, OSError, ValueError) as error:
        found = " ".join(str(error).split())[:100]
        fix = "write or download it again"
        raise InputError("damaged Parquet file", where=str(path), found=found, fix=fix) from error


def _text_bytes(column: Any) -> int:
    """Size in bytes of the decoded texts of an Arrow dictionary array; 0 for other arrays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(column, pa.DictionaryArray) or not pa.types.is_string(column.type.value_type):
        return 0
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0


def cell_text(value: object) -> str | None:
    """A cell as text; None if it is not a scalar or not valid Unicode.

    None and NaN become "". A float without a fraction becomes an integer, so that labels are equal in all formats.
    """
    if isinstance(value, str):
        return value if value.isascii() or not SURROGATE.search(value) else None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, bool | int | float) else None


READERS: Mapping[str, Callable[[Path], Columns]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}
