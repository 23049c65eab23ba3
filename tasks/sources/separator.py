"""What separates the columns of a CSV or TSV file, and the spaces that people write after commas."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from itertools import zip_longest
from pathlib import Path

from tasks.errors import InputError
from tasks.sources.text import read_lines, shown

SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
SPACED = re.compile(r', +"[^",\r\n]')


def may_have_spaces(line: str) -> bool:
    """Whether a line of a CSV file may have a space before a quoted field. No line of a csv writer has: it doubles
    the quotation marks inside a field, and ends a field with one."""
    return ' "' in line and SPACED.search(line) is not None


def has_spaces(path: Path) -> bool:
    """Whether a CSV file has spaces between commas and quoted fields: `"a text", "yes"`.

    A csv writer puts quotation marks around a field that holds one. So without such spaces, it makes no difference but
    for the spaces before other fields whether spaces are skipped.
    """
    kept, skipped = (csv.reader(read_lines(path), strict=True, skipinitialspace=skip) for skip in (False, True))
    found = False
    try:
        for one, other in zip_longest(kept, skipped, fillvalue=()):
            found = found or [field.lstrip(" ") for field in one] != [field.lstrip(" ") for field in other]
    except csv.Error:  # a field goes on after its quotation mark, as in `1, "Yes," he said`: they are characters
        return False
    return found


def check_separator(line: str, used: Collection[str], delimiter: str, where: str) -> None:
    """Refuse a header that has the columns in use, or several columns, only with another separator.

    Args:
        line: The first line of the file.
        used: Names of the columns in use.
        delimiter: The separator that the name of the file promises.
        where: The file, for messages.

    Raises:
        InputError: Another separator fits.
    """
    columns = {mark: [name.strip() for name in next(csv.reader([line], delimiter=mark), [])] for mark in SEPARATORS}
    here = columns.pop(delimiter)
    if set(here) & set(used):
        return
    for other, names in columns.items():
        if set(names) & set(used) or len(names) > len(here) == 1:
            named = {",": "name it .csv", "\t": "name it .tsv"}.get(other, "write it with commas (pandas: `to_csv`)")
            raise InputError(
                "only one column" if len(here) == 1 else "another separator",
                where=where,
                expected=f"columns separated by {SEPARATORS[delimiter]}",
                found=f"{shown([line])!r}, separated by {SEPARATORS[other]}",
                fix=named,
            )
