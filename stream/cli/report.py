"""`taskstream report FOLDER...`: print the report of runs or studies, or write it as a page, pictures or tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from stream.report import make_console, print_report
from stream.report.console import page_of
from stream.report.numbers import count
from stream.report.terminal.study import print_studies
from stream.results.results import Results, load_results
from stream.storage.files import usable_folder
from stream.study.members import FILE
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.paths import user_path

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import StudyDocument


def report(
    folders: Sequence[Path],
    display: str,
    html: Path | None = None,
    png: Path | None = None,
    svg: Path | None = None,
    tables: Mapping[str, Path | None] = MappingProxyType({}),
) -> None:
    """Print the report. If files are given, write these instead and print their paths.

    Args:
        folders: Folders of runs and of studies. One run alone has its own report; several are reported as studies.
        html: HTML file to write. Default: none.
        png, svg: Folders for the figures. Default: none.
        tables: Files to write the tables of studies to, by form: csv, tex, md. Default: none.

    Raises:
        InputError: A folder contains no run, its results are damaged, or a file cannot be written.
    """
    written = []
    if len(folders) == 1 and not (folders[0] / FILE).is_file():
        results = load_results(folders[0])
        if html is not None:
            written.append(write_page(folders[0], results, html))
        for form, pictures in (("png", png), ("svg", svg)):
            if pictures is not None:
                written += write_plots(folders[0], results, pictures, form)
        if not written and not any(tables.values()):
            if display == "json":
                print(json.dumps(results.document))
            elif display != "none":
                print_report(results, make_console(display))
            return
        pictures_of: Mapping[str, Path | None] = {}
    else:
        if html is not None:
            raise no_page(folders, html)
        pictures_of = {"png": png, "svg": svg}
    if any(tables.values()) or not written:
        from stream.study.gather import document_together, gather  # imports NumPy

        studies = gather(folders)
        document = document_together(studies)
        written += [write_table(document, form, path) for form, path in tables.items() if path is not None]
        for form, pictures in pictures_of.items():
            if pictures is not None:
                written += write_study_plots(document, pictures, form)
        if not written:
            if display == "json":
                print(json.dumps(document))
            elif display != "none":
                print_studies(studies, document, make_console(display))
            return
    if display == "json":
        print(json.dumps({"files": [str(path) for path in written]}))
    elif display != "none":
        console = make_console(display)
        for path in written:
            console.print(page_of(console).text(path), markup=False, soft_wrap=True)


def no_page(folders: Sequence[Path], html: Path) -> InputError:
    """Returns the error that `--html` is for one run, with what else can be written and a run that has a page."""
    instead = "use --tex, --md, --csv, --png or --svg"
    if len(folders) > 1:
        fix = f"{instead}, or name one run"
        return InputError("--html is for one run", where=f"--html {html}", found=f"{len(folders)} folders", fix=fix)
    from stream.study.study import read_grid

    grid = read_grid(folders[0])
    found = f"{folders[0]} is a study of {count(len(grid), 'member')}"
    fix = f"{instead}, or name {folders[0] / grid[0].folder}"
    return InputError("--html is for one run", where=f"--html {html}", found=found, fix=fix)


def write_table(document: StudyDocument, form: str, file: Path) -> Path:
    """Write the tables of studies as one file. `form` is csv, tex or md."""
    from stream.report.tables import csv_table, latex_tables, markdown_tables

    make = {"csv": csv_table, "tex": latex_tables, "md": markdown_tables}[form]
    path = user_path(str(file), where=f"--{form}")
    usable_folder(path.parent, f"--{form}")
    with writing(f"--{form} {file}", "name a file"):
        write_atomic(path, make(document))
    return path


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


def write_study_plots(document: StudyDocument, pictures: Path, form: str) -> list[Path]:
    """Write the figures of studies as files. `form` is png or svg."""
    from stream.report.study_plots import write_study

    target = user_path(str(pictures), where=f"--{form}")
    usable_folder(target, f"--{form}")
    with writing(f"--{form} {pictures}", "name a folder"):
        return write_study(document, target, form)


@contextmanager
def writing(where: str, fix: str) -> Iterator[None]:
    """Turns an error of the file system in a `with` block into `InputError`."""
    try:
        yield
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InputError("cannot write the file", where=where, found=found, fix=fix) from None
