"""Parts that all studies share: their command line, runs, tables, JSON files. Statistics are those of the product."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.text import Text

from stream import InputError, Results, RunFailed, Study, load_results, load_study, run
from stream.report import make_console
from stream.report.terminal.grid import Column, table
from stream.results.intervals import Interval, interval
from stream.storage.files import write_json
from stream.study.members import FILE as STUDY
from stream.study.members import Member
from stream.study.statistics import paired
from tasks import Task
from tasks.suite import text_groups

VERDICTS = {"holds": "green", "fails": "bold red", "open": "yellow", "solved": "bold red", "words": "yellow"}

Suite = Annotated[str, typer.Option(help="Suite, or tasks as a comma list.")]
Source = Annotated[str, typer.Option(help="simulated[:seed=S], folder:DIR or hub.")]
Backbone = Annotated[str, typer.Option(help="embedded, minilm, a folder, or a hub id.")]
Learners = Annotated[str, typer.Option(help="Comma list of learners.")]
Seeds = Annotated[int, typer.Option(min=1, help="Runs with seeds 0, 1, ...")]
Seed = Annotated[str, typer.Option(help="Seeds: 0,1,2 or 0-4. They draw everything in training.")]
Order = Annotated[str, typer.Option(help="Orders of arrival, separated by ; as in paper;seed:1;seed:2.")]
DataSeed = Annotated[int, typer.Option(min=0, help="Seed that draws the examples of larger tasks.")]
TrainExamples = Annotated[int, typer.Option(min=1, help="Maximum number of training examples per task.")]
ValidationExamples = Annotated[int, typer.Option(min=1, help="Default: as many as test examples.")]
TestExamples = Annotated[int, typer.Option(min=1, help="Maximum number of test examples per task.")]
Epochs = Annotated[int, typer.Option(min=0, help="Passes over the training examples.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Examples in a training batch.")]
MaxLength = Annotated[int, typer.Option(min=4, help="Maximum number of tokens per row.")]
Evaluate = Annotated[str, typer.Option(help="audited, full or square: how often past tasks are evaluated again.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16, or auto: the one that suits the processor.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes. Default: one per core.")]
Out = Annotated[Path, typer.Option(help="Folder of runs and results. The same command continues there.")]


def points(value: Interval | float | None, sign: bool = False) -> str:
    """An interval or a fraction in points (x100); a dash for None."""
    if value is None:
        return "–"
    return (value if isinstance(value, Interval) else Interval(value, None, 1)).points(sign)


def best_of_paper(task: Task) -> float | None:
    """The best score that Houlsby et al. (2019) report for a task, a fraction; None for other tasks."""
    return None if task.paper is None else task.paper.best[1] / 100


def last_row(results: Results, learner: str) -> dict[str, float]:
    """Score of each task in the last row of R, a fraction. Tasks without a score are left out."""
    scores = zip(results.order, results[learner].rows()[-1], strict=True)
    return {task: score for task, score in scores if score is not None}


def backbone_parameters(results: Results) -> int:
    """Number of parameters of the backbone of a run.

    Raises:
        InputError: results.json does not have it.
    """
    if results.backbone.parameters is None:
        raise InputError("unknown number of backbone parameters", where="results.json", fix="run it again")
    return results.backbone.parameters


def run_study(out: Path, console: Console, **settings: Any) -> Study:
    """Run or continue the runs with these settings of `stream.run`. A single run is a study of one member in `out`."""
    found = run(handle=progress_printer(console, str(out)), out=out, **settings)
    if isinstance(found, Study):
        return found
    return Study(str(out), (Member("", found.seed or 0, str(settings.get("order", "paper"))),), {"": found})


def open_runs(folder: Path) -> Study:
    """The finished runs in a folder, of a study or of one run.

    Raises:
        InputError: There is neither.
    """
    if (folder / STUDY).is_file():
        return load_study(folder)
    results = load_results(folder)
    return Study(str(folder), (Member("", results.seed or 0, ",".join(results.order)),), {"": results})


def difference(ours: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> Interval:
    """The difference of scores, first minus second, with the product's interval over seeds and groups of tasks.

    Args:
        ours, others: One entry per seed: score by task, a fraction.
    """
    tasks = [*ours[0]]
    gaps = np.array([[a[task] - b[task] for task in tasks] for a, b in zip(ours, others, strict=True)])
    found = paired(gaps, [[tasks.index(task) for task in group] for group in text_groups(tasks)])
    return Interval(found.difference, found.half, found.seeds)


def average(scores: Sequence[Mapping[str, float]]) -> Interval:
    """Mean over tasks, with its interval over seeds. `scores` has one entry per seed: score by task."""
    return interval([sum(row.values()) / len(row) for row in scores])


def progress_printer(console: Console, name: str, every: int = 1) -> Callable[[Any], None]:
    """An event handler for `run` that prints a line when the run begins and after each `every`-th new arrival."""
    working = False

    def handle(event: dict[str, Any]) -> None:
        nonlocal working
        working = working or event["event"] == "start"
        if event["event"] == "run":
            console.print(f"{name}: {event['cached']} of {event['jobs']} jobs are done", style="dim")
        elif event["event"] == "arrival" and working and event["arrival"] % every == 0:
            place = f"{event['arrival']}/{event['tasks']} {event['task']}"
            console.print(f"{name}: {place} after {event['seconds']:.0f} s", style="dim")

    return handle


def open_console() -> Console:
    """The console of a report. It is 120 columns wide if neither a terminal nor COLUMNS gives a width."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return make_console(width=wide)


def show(
    console: Console, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)
) -> None:
    """Print a table. If it is too wide, the last columns are dropped first; the first two always stay.

    Args:
        head: Titles of the columns.
        rows: Cells; verdicts are coloured.
        left: Indices of left-aligned columns (text). The others are right-aligned (numbers). Default: the first.
    """
    console.print(f"\n{title}", style="bold", markup=False)
    columns = [
        Column(
            title,
            [Text(row[place], style=VERDICTS.get(row[place], "")) for row in rows],
            "left" if place in left else "right",
            rank=place if place > 1 else 0,
        )
        for place, title in enumerate(head)
    ]
    console.print(table(columns, console.width))


def save(path: Path, document: Mapping[str, Any], results: Results | None, console: Console) -> None:
    """Write the numbers of a study as strict JSON, with the backbone and environment of one of its runs, if given."""
    origin = {key: results.document[key] for key in ("backbone", "environment")} if results else {}
    write_json(path, as_json({**document, **origin}), indent=1)
    console.print(f"numbers: {path}", style="dim", soft_wrap=True)


def as_json(value: Any) -> Any:
    """A value as JSON takes it: named tuples become objects, paths become text."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: as_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value


def command(main: Callable[..., None], text: str | None) -> None:
    """Run a script's `main` as a command with `text` as its help. Exit codes: 0 done, 1 failed, 2 bad input."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(help="\n\n".join(f"\b\n{paragraph}" for paragraph in (text or "").split("\n\n")))(main)
    try:
        app()
    except InputError as error:
        print(*(f"error: {one}" for one in error.errors), sep="\n", file=sys.stderr)
        sys.exit(2)
    except RunFailed as failure:
        print(f"error: {failure}\nFinished work is stored. Give the same command again to continue.", file=sys.stderr)
        sys.exit(1)
