"""`taskstream report FOLDER`: print the report of a run from its results.json, or write it as a page or pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.report import make_console, print_report
from stream.report.console import page_of
from stream.results.results import Results, load_results
from stream.storage.files import usable_folder
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.paths import user_path


def report(
    folder: Path, display: str, html: Path | None = None, png: Path | None = None, svg: Path | None = None
) -> None:
    """Print the report. If files are given, write these instead and print their paths.

    Args:
        folder: Folder of the run.
        html: HTML file to write. Default: none.
        png, svg: Folders for the figures. Default: none.

    Raises:
        InputError: The folder contains no run, its results are damaged, or a file cannot be written.
    """
    results = load_results(folder)
    if html is None and png is None and svg is None:
        if display == "json":
            print(json.dumps(results.document))
        elif display != "none":
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


def write_page(folder: Path, results: Results, html: Path) -> Path:
    """Write the report as one HTML file. If writing fails, no partial file is left."""
    from stream.report.html import page, read_record

    path = user_path(str(html), where="--html")
    text = page(results, read_record(folder, results))
    usable_folder(path.parent, "--html")
    with writing(f"--html {html}", "name a file"):
        write_atomic(path, text)
    return path


def write_plots(folder: Path, results: Results, pictures: Path, form: str) -> list[Path]:
    """Write the figures of the report as files. `form` is png or svg."""
    from stream.report.plots import same_run_other_seeds, write

    target = user_path(str(pictures), where=f"--{form}")
    usable_folder(target, f"--{form}")
    seeds = same_run_other_seeds(folder, results)
    with writing(f"--{form} {pictures}", "name a folder"):
        return write(results, seeds, target, form)


@contextmanager
def writing(where: str, fix: str) -> Iterator[None]:
    """Turns an error of the file system in a `with` block into `InputError`."""
    try:
        yield
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InputError("cannot write the file", where=where, found=found, fix=fix) from None
