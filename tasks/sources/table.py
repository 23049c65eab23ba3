"""Read one data file as columns: CSV, TSV, JSON lines or Parquet, gzipped or not.

No type is guessed, so "NA" and "null" are words. We use Python's csv and json readers because, unlike the readers of
data frames, they give the line of an error.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tasks.errors import InputError
from tasks.sources.dialect import tsv_quoting
from tasks.sources.separator import check_separator, has_spaces, may_have_spaces
from tasks.sources.text import MAX_COLUMNS, MAX_LINE, check_ratio, read_lines, shown, unpacked

QUOTES = "check its quotation marks"


@dataclass(frozen=True)
class Table:
    """The columns in use of a data file.

    Attributes:
        names: The names of all its columns, as in its header. Those that are not in use may be blank or occur twice.
        columns: Name -> values [n], for the columns in use. Values of CSV and TSV are strings, others keep their type.
        rows: Number n of rows.
        unread: Number of rows with a value in a column without a name. Default: 0.
    """

    names: Sequence[str]
    columns: Mapping[str, Sequence[object]]
    rows: int
    unread: int = 0


def read_table(path: Path, used: Collection[str]) -> Table:
    """Read the columns of a data file that have the names `used`. A name that the file lacks is not an error.

    Raises:
        InputError: The file cannot be opened, unpacked, decoded or parsed, has no rows, or has a used column twice.
    """
    table = READERS[file_type(path)](path, used)
    if not table.rows:
        found = f"the header {shown(table.names)} only" if table.names else "an empty file"
        raise InputError("no rows", where=str(path), expected="a header and rows of text and label", found=found)
    return table


def file_type(path: Path) -> str:
    """The suffix of the format, without `.gz`: ".csv" for data.csv.gz. "" for a format that we do not read."""
    suffixes = path.name.lower().removesuffix(".gz").rpartition(".")
    return "." + suffixes[2] if suffixes[1] and "." + suffixes[2] in READERS else ""


def file_stem(path: Path) -> str:
    """The file name without its format: "data" for data.csv.gz."""
    return path.name[: -len(".gz")].rpartition(".")[0] if path.name.lower().endswith(".gz") else path.stem


def _read_csv(path: Path, used: Collection[str]) -> Table:
    spaced = False

    def watched() -> Iterator[str]:
        nonlocal spaced
        for line in read_lines(path):
            spaced = spaced or may_have_spaces(line)
            yield line

    try:
        table = _delimited(path, watched(), used, delimiter=",", quoting=csv.QUOTE_MINIMAL)
    except InputError:
        if not (spaced and has_spaces(path)):
            raise
    else:
        if not (spaced and has_spaces(path)):
            return table
    return _delimited(path, read_lines(path), used, delimiter=",", quoting=csv.QUOTE_MINIMAL, spaced=True)


def _read_tsv(path: Path, used: Collection[str]) -> Table:
    return _delimited(path, read_lines(path), used, delimiter="\t", quoting=tsv_quoting(read_lines(path)))


def _delimited(
    path: Path,
    given: Iterable[str],
    used: Collection[str],
    *,
    delimiter: str,
    quoting: Literal[0, 3],
    spaced: bool = False,
) -> Table:
    """The table in the lines `given` of a file; `spaced`: without the spaces at the beginning of its fields."""
    where = str(path)
    # The limit of 131,072 characters per field is global to the process. So only increase it, to the value we need.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    begin, size = 1, 0  # first line and size of the current row; a quoted field can span lines
    first = ""  # the first line that is not blank

    def lines() -> Iterator[str]:
        nonlocal first, size
        for line in given:
            size += len(line)
            if not first and (first := line.strip("\r\n")).strip('"') == f"sep={delimiter}":
                yield "\n"  # Excel's note about the separator, before the header
                first = ""
                continue
            if size > MAX_LINE:
                raise InputError(
                    f"the row that starts in line {begin} does not end",
                    where=where,
                    expected=f"at most {MAX_LINE:,} characters",
                    fix=QUOTES,
                )
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, quoting=quoting, strict=True, skipinitialspace=spaced)
    header: list[str] = []
    columns: dict[str, list[object]] = {}
    places: list[tuple[list[object], int]] = []  # the list and the index of each column in use
    named = rows = unread = 0  # `named`: number of columns up to the last one with a name
    try:
        for record in reader:
            if not record:  # blank line
                pass
            elif not header:
                header = [name.strip() for name in record]
                _check_header(header, used, where)
                check_separator(first, used, delimiter, where)
                named = max((place for place, name in enumerate(header, start=1) if name), default=0)
                columns = {name: [] for name in header if name in used}
                places = [(columns[name], header.index(name)) for name in columns]
            elif len(record) < named or any(record[len(header) :]):  # fields without a name may be missing or empty
                raise InputError(
                    f"broken line {begin}",
                    where=where,
                    expected=f"{named} fields ({shown(header)})",
                    found=str(len(record)),
                    fix="quote fields that hold the separator" if delimiter == "," else "",
                )
            else:
                rows += 1
                unread += any(record[named:])
                for column, place in places:
                    column.append(record[place])
            begin, size = reader.line_num + 1, 0
    except csv.Error as error:
        if not header:
            check_separator(first, used, delimiter, where)
        ended = "unexpected end of data" in str(error)
        line = begin if ended else reader.line_num
        found = "a quotation mark that is not closed" if ended else str(error)
        raise InputError(f"broken line {line}", where=where, found=found, fix=QUOTES) from error
    return Table(header, columns, rows, unread)


def _check_header(header: Sequence[str], used: Collection[str], where: str) -> None:
    if len(header) > MAX_COLUMNS:
        found = f"{len(header):,}, from {shown(header[:3])} on"
        raise InputError("too many columns", where=where, expected=f"at most {MAX_COLUMNS:,}", found=found)
    twice = next((name for name, count in Counter(header).items() if count > 1 and name in used), None)
    if twice is not None:
        raise InputError(f"two columns are called {twice!r}", where=where, found=f"columns {shown(header)}")


def _read_jsonl(path: Path, used: Collection[str]) -> Table:
    where = str(path)
    names: dict[str, None] = {}  # an ordered set
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
        if new := [name for name in record if name not in names]:
            names |= dict.fromkeys(new)
            columns |= {name: [None] * rows for name in new if name in used}
            _check_header(tuple(names), used, where)
        rows += 1
        for name, values in columns.items():
            values.append(record.get(name))
    return Table(tuple(names), columns, rows)


def _read_parquet(path: Path, used: Collection[str]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def opened(**more: Any) -> Any:
        return pq.ParquetFile(io.BytesIO(data) if packed else path, **more)

    packed = path.name.lower().endswith(".gz")
    data = b"".join(unpacked(path)) if packed else b""
    try:
        with opened() as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            _check_header(schema.names, used, str(path))
            wanted = [name for name in schema.names if name in used]
            parts = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
            chunks = (part.column(i) for part in parts for i in range(part.num_columns))
            check_ratio(sum(c.total_uncompressed_size for c in chunks if _is_of(c.path_in_schema, wanted)), path)
        texts = [name for name in wanted if _is_text(schema.field(name).type)]
        size, columns = 0, {name: [] for name in wanted}  # type: int, dict[str, list[object]]
        # Check the size of texts before decoding dictionaries: one kilobyte can decode to a terabyte.
        with opened(read_dictionary=texts) as file:
            for batch in file.iter_batches(1000, columns=wanted):
                size += batch.num_rows * batch.num_columns + sum(_text_bytes(column) for column in batch.columns)
                check_ratio(size, path)
                for name in wanted:
                    columns[name] += batch.column(name).to_pylist()
        return Table(schema.names, columns, rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        found = " ".join(str(error).split())[:100]
        fix = "write or download it again"
        raise InputError("damaged Parquet file", where=str(path), found=found, fix=fix) from error


def _is_of(path: str, names: Collection[str]) -> bool:
    """Whether a path in a Parquet schema is one of these columns, or a part of one: `a.list.element` of `a`."""
    return any(path == name or path.startswith(f"{name}.") for name in names)


def _is_text(kind: Any) -> bool:
    """Whether an Arrow type is text or bytes."""
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _text_bytes(column: Any) -> int:
    """Size in bytes of the decoded texts of an Arrow dictionary array; 0 for other arrays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(column, pa.DictionaryArray) or not _is_text(column.type.value_type):
        return 0
    return pc.sum(pc.binary_length(column.dictionary).take(column.indices)).as_py() or 0


READERS: Mapping[str, Callable[[Path, Collection[str]], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}
