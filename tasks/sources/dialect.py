"""The dialect of a TSV file: raw, or written by a csv writer.

Raw (IANA text/tab-separated-values, the files of GLUE): one row per line; a quotation mark is a character like others.
By a csv writer (pandas, R, spreadsheets): fields that need it stand in quotation marks and may hold tabs and line ends;
a quotation mark inside is doubled. Only what is in the file tells the two apart.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Literal

from tasks.sources.text import MAX_LINE

# A field of a csv writer, and the tab or the end of the record after it. Group 1: its content if it is quoted.
FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^"\t\r\n]*))(\t|[\r\n]*\Z)')
RAW: Literal[3] = csv.QUOTE_NONE
WRITTEN: Literal[0] = csv.QUOTE_MINIMAL
MANY = 10  # rows; raw texts that all stand in quotation marks by chance are fewer


def tsv_quoting(lines: Iterable[str]) -> Literal[0, 3]:
    """How `csv.reader` must read a TSV file: `WRITTEN` if a csv writer wrote it, `RAW` if not, or if both are the same.

    A file is raw if any quotation mark stands where no csv writer puts it, as in `"Yes," he said.`. It is also raw if
    each line of a field over several lines is a row by itself: so a lone quotation mark swallows no rows. Otherwise the
    quotation marks must have a reason: a quoted field needs them (it is empty, or holds a quotation mark, a tab or a
    line end), or the header is quoted, as R and pandas do it, or a column is quoted in each of many rows, or exactly
    the fields with a comma are, as spreadsheets do it. `"Well done"` beside unquoted texts is raw.

    Args:
        lines: The lines of the file, with their line ends.
    """
    width = 0  # number of columns; 0 before the header
    header = needed = False  # whether a name in the header is quoted; whether a quoted field needs it
    rows = 0  # number of rows with quotation marks
    plain = False  # whether a row has none
    needless: set[int] = set()  # columns with a quoted field that does not need it
    unquoted: set[int] = set()  # columns with an unquoted field, in rows with quotation marks
    commas, only_commas = False, True  # whether an unquoted field has a comma; whether each needlessly quoted one has
    record: list[str] = []
    size = marks = 0  # characters and quotation marks of `record`
    for line in lines:
        if not record and '"' not in line:
            if line.strip("\r\n"):
                plain = plain or width > 0
                width = width or line.count("\t") + 1
                commas = commas or "," in line
            continue
        record.append(line)
        size += len(line)
        marks += line.count('"')
        if size > MAX_LINE:
            return RAW
        if marks % 2:  # a quoted field goes on in the next line
            continue
        fields = _fields("".join(record))
        if fields is None:
            return RAW
        header = header or not width
        rows += width > 0
        width = width or len(fields)
        if len(record) > 1 and all(part.count("\t") + 1 == width for part in record):
            return RAW
        for place, (quoted, content) in enumerate(fields):
            if not quoted:
                unquoted.add(place)
                commas = commas or "," in content
            elif not content or any(mark in content for mark in '"\t\r\n'):
                needed = True
            else:
                needless.add(place)
                only_commas = only_commas and "," in content
        record, size, marks = [], 0, 0
    if record:
        return RAW
    whole = rows >= MANY and not plain and not needless & unquoted
    reason = header or needed or not needless or whole or (only_commas and not commas)
    return WRITTEN if reason else RAW


def _fields(record: str) -> list[tuple[bool, str]] | None:
    """The fields of a record: whether each is quoted, and its content. None if no csv writer writes such a record."""
    fields, place = [], 0
    while (found := FIELD.match(record, place)) is not None:
        fields.append((found[1] is not None, found[1] if found[1] is not None else found[2]))
        if found[3] != "\t":
            return fields
        place = found.end()
    return None
