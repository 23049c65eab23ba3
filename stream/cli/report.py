"""`taskstream report DIR`: the report of a run, printed from its results.json alone, or as a page or pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stream.report import make_console, print_report
from stream.report.console import page_of
from stream.storage.files import usable_folder
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.paths import user_path

SCHEMA = 1


def report(
    folder: Path, display: str, html: Path | None = None, png: Path | None = None, svg: Path | None = None
) -> None:
    """Print the report; or, where files are asked for, write those and name them."""
    results = read_results(folder)
    if html is None and png is None and svg is None:
        if display == "json":
            print(json.dumps(results))
        elif display != "none":
            with readable(folder):
                print_report(results, make_console(display))
        return
    written = []
    if html is not None:
        written.append(write_page(folder, results, html))
    for form, pictures in (("png", png), ("svg", svg)):
        if pictures is not None:
            written += write_plots(folder, results, pictures, form)
    if display == "json":
        print(json.dumps({"files": [str(path) for path in written]}))
    elif display != "none":
        console = make_console(display)
        for path in written:
            console.print(page_of(console).text(path), markup=False, soft_wrap=True)


def write_page(folder: Path, results: Mapping[str, Any], html: Path) -> Path:
    """The report as one HTML file, whole or not at all."""
    from stream.report.html import page, read_record

    path = user_path(str(html), where="--html")
    with readable(folder):
        text = page(results, read_record(folder, results))
    usable_folder(path.parent, "--html")
    try:
        write_atomic(path, text)
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InputError("cannot write here", where=f"--html {html}", found=found, fix="name a file") from None
    return path


def write_plots(folder: Path, results: Mapping[str, Any], pictures: Path, form: str) -> list[Path]:
    """The report's figures as files of a form, `png` or `svg`."""
    from stream.report.plots import seeds_beside, write

    target = user_path(str(pictures), where=f"--{form}")
    usable_folder(target, f"--{form}")
    with readable(folder):
        return write(results, seeds_beside(folder, results), target, form)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Results of the right schema that lack what a report needs are damaged: say so, in one line."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        fix = "give the run's command again"
        raise InputError("damaged results", where=str(folder / "results.json"), found=found, fix=fix) from error


def read_results(folder: Path) -> dict[str, Any]:
    """The document of a run's results.json.

    Raises:
        InputError: No run there, a damaged file, or one of another schema.
    """
    path = folder / "results.json"
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "no run here", where=str(folder), expected="results.json", fix="taskstream list runs"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            "damaged results", where=str(path), found=str(error), fix="give the run's command again"
        ) from None
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        found = str(results.get("schema")) if isinstance(results, dict) else type(results).__name__
        raise InputError("results of another version", where=str(path), expected=f"schema {SCHEMA}", found=found)
    return results
