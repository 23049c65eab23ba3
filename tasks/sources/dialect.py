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


def tsv_quoting(lines: Iterable[str]) -> Literal[0, 3]:
    """How `csv.reader` must read a TSV file: `WRITTEN` if a csv writer wrote it, `RAW` if not, or if both are the same.

    A file is raw if any quotation mark stands where no csv writer puts it, as in `"Yes," he said.`. It is also raw if
    each line of a field over several lines is a row by itself: so a lone quotation mark swallows no rows. Otherwise the
    quotation marks must have a reason: a quoted field needs them (it is empty, or holds a quotation mark, a tab or a
    line end), or the whole column is quoted, header included, or exactly the fields with a comma are, as spreadsheets
    do it. `"Well done"` beside unquoted texts is raw.

    Args:
        lines: The lines of the file, with their line ends.
    """
    width = 0  # number of columns; 0 before the header
    always: set[int] = set()  # columns in which each field so far is quoted
    needless: set[int] = set()  # columns with a quoted field that does not need it
    needed = commas = False  # whether a quoted field needs it; whether an unquoted field has a comma
    only_commas = True  # whether each field that is quoted without need has a comma
    record: list[str] = []
    size = marks = 0  # characters and quotation marks of `record`
    for line in lines:
        if not record and '"' not in line:
            if line.strip("\r\n"):
                width = width or line.count("\t") + 1
                always.clear()
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
        if not width:
            width = len(fields)
            always = set(range(width))
        if len(record) > 1 and all(part.count("\t") + 1 == width for part in record):
            return RAW
        always &= {place for place, (quoted, _) in enumerate(fields) if quoted}
        for place, (quoted, content) in enumerate(fields):
            if not quoted:
                commas = commas or "," in content
            elif not content or any(mark in content for mark in '"\t\r\n'):
                needed = True
            else:
                needless.add(place)
                only_commas = only_commas and "," in content
        record, size, marks = [], 0, 0
    if record:
        return RAW
    reason = needed or needless <= always or (only_commas and not commas)
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
