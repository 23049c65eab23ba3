"""Which entries of a folder are tasks, under which name, and why the others are not."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.errors import InputError
from tasks.sources.table import READERS, file_stem, file_type
from tasks.splits import SPELLINGS
from tasks.suite import TASK_NAME, known_name

FORMATS = f"one of {', '.join(READERS)}, also with .gz"
# Files that describe a folder, by their stem in any capitals. A table with such a name is the documentation of data.
DESCRIPTIONS = frozenset({"readme", "license", "licence", "manifest", "changelog", "dataset_info", "dataset_infos"})
NO_DATA = "no data file in it"


def entries(folder: Path, beginning: str = "") -> list[Path]:
    """The files and folders in a folder, sorted by name.

    Args:
        beginning: How their names begin, in any capitals. Default: "", all of them.

    Raises:
        InputError: The folder cannot be read.
    """
    try:
        names = sorted(os.listdir(folder))
        return [folder / name for name in names if name.casefold().startswith(beginning.casefold())]
    except OSError as error:
        raise InputError("the folder cannot be read", where=str(folder), found=error.strerror or str(error)) from error


def name_of(entry: Path) -> str:
    """The name of the task that a folder or data file is: its file name without the format, as written.

    A name that differs from that of a known task only in capitals is the known task: `RTE.csv` is `rte`.
    """
    return known_name(entry.name if entry.is_dir() else file_stem(entry))


def why_no_task(entry: Path) -> str:
    """Why an entry is not a task; "" if it is one."""
    if entry.name.startswith("."):
        return "hidden"
    if not entry.is_dir():
        if not file_type(entry):
            return f"no data file, which is {FORMATS}"
        if not entry.is_file():  # a pipe or device: reading it may never end
            return "not a regular file"
        if why := why_no_name(file_stem(entry)):
            return why
    elif not data_files(entry):
        return NO_DATA
    return "" if TASK_NAME.fullmatch(name_of(entry)) else "not a task name: letters, digits, _ . - only"


def why_no_name(stem: str) -> str:
    """Why a data file with this stem is not a task of its own; "" if it can be one."""
    if stem.lower() in DESCRIPTIONS:
        return "describes the folder; a task of this name needs a folder of its own"
    if stem.lower() in (*SPELLINGS, "data"):
        return "a part of a task: give it a folder of its own"
    return ""


def data_files(folder: Path) -> list[Path]:
    """The data files in the folder of one task, sorted by name."""
    return [
        path
        for path in entries(folder)
        if file_type(path)
        and path.is_file()
        and not path.name.startswith(".")
        and file_stem(path).lower() not in DESCRIPTIONS
    ]


def skipped(folder: Path) -> dict[str, list[str]]:
    """The file names of the entries of a folder that are not tasks, by reason."""
    reasons: dict[str, list[str]] = {}
    for entry in entries(folder):
        if why := why_no_task(entry):
            reasons.setdefault(why, []).append(entry.name)
    return reasons
