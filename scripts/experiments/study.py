"""What the experiments share: their command, intervals of means, runs over seeds, tables, JSON files."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from stream import kept_workers, run
from stream.errors import RunFailed
from stream.report.console import make_console
from stream.report.terminal.grid import Column, table
from stream.results.intervals import Interval, interval
from stream.storage.files import write_json
from tasks.errors import InputError
from tasks.task import Task

VERDICTS = {"holds": "green", "fails": "bold red", "open": "yellow", "solved": "bold red", "words": "yellow"}

Suite = Annotated[str, typer.Option(help="Suite, or NAME,NAME.")]
Source = Annotated[str, typer.Option(help="simulated, folder:DIR or hub; {seed} becomes the seed of the run.")]
Backbone = Annotated[str, typer.Option(help="embedded, minilm, a folder, or a hub id.")]
Learners = Annotated[str, typer.Option(help="Comma list of learners.")]
Seeds = Annotated[int, typer.Option(min=1, help="Runs with seeds 0, 1, ...")]
TrainExamples = Annotated[int, typer.Option(min=1, help="Training examples of a task at most.")]
TestExamples = Annotated[int, typer.Option(min=1, help="Validation, and test examples of a task at most.")]
Epochs = Annotated[int, typer.Option(min=0, help="Passes over the training examples.")]
BatchSize = Annotated[int, typer.Option(min=1, help="Examples in a training batch.")]
MaxLength = Annotated[int, typer.Option(min=4, help="Tokens of a row at most.")]
Evaluate = Annotated[str, typer.Option(help="audited, full or square: how often past tasks are measured again.")]
Dtype = Annotated[str, typer.Option(help="float32, bfloat16, or auto: what suits the processor.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; one for each core if not given.")]
Out = Annotated[Path, typer.Option(help="Where runs and results go; the same command continues there.")]


class Paired(NamedTuple):
    """A mean difference with two intervals; pairs of one task have the task in common, so are not independent.

    Attributes:
        tasks: Of the tasks' differences, each a mean over seeds: does it hold for tasks like these?
        seeds: Of the seeds' differences of averages: does it hold for these tasks, were all done again?
    """

    tasks: Interval
    seeds: Interval


def paired(ours: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> Paired:
    """Differences of scores, first less second, paired over tasks and seeds; each is a score by task for every seed."""
    differences = [[a[task] - b[task] for task in ours[0]] for a, b in zip(ours, others, strict=True)]
    columns = zip(*differences, strict=True)
    return Paired(
        interval([math.fsum(column) / len(column) for column in columns]),
        interval([math.fsum(row) / len(row) for row in differences]),
    )


def average(scores: Sequence[Mapping[str, float]]) -> Interval:
    """Over seeds, of the mean over tasks; a score by task for every seed."""
    return interval([sum(row.values()) / len(row) for row in scores])


def task_means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each task, the mean over seeds; a score by task for every seed."""
    return {task: sum(row[task] for row in scores) / len(scores) for task in scores[0]}


def points(value: Interval | float | None, sign: bool = False) -> str:
    """An interval, or a fraction, in points; a dash for what there is not."""
    if value is None:
        return "–"
    return (value if isinstance(value, Interval) else Interval(value, None, 1)).points(sign)


def best_of_paper(task: Task) -> float | None:
    """The best score that Houlsby et al. (2019) print of a task, as a fraction; None for other tasks."""
    return None if task.paper is None else task.paper.best[1] / 100


def last_row(results: Mapping[str, Any], learner: str) -> dict[str, float]:
    """Score of each task after the last arrival."""
    return dict(zip(results["order"], results["learners"][learner]["R"][-1], strict=True))


def run_seed(out: Path, console: Console, *, source: str, seed: int, **settings: Any) -> dict[str, Any]:
    """Results of the run of a seed under `out`: finished work is read, the rest begun or continued."""
    folder = out / f"seed{seed}"
    given = {"source": source.replace("{seed}", str(seed)), "seed": seed, "out": folder, **settings}
    return run(handle=teller(console, str(folder)), **given).as_dict()


def run_seeds(out: Path, console: Console, seeds: int, **settings: Any) -> list[dict[str, Any]]:
    """Results of the runs of seeds 0, 1, ...; see `run_seed`."""
    with kept_workers(settings.pop("workers", None)) as workers:
        return [run_seed(out, console, seed=seed, workers=workers, **settings) for seed in range(seeds)]


def teller(console: Console, name: str, every: int = 1) -> Callable[[dict[str, Any]], None]:
    """Prints a line when a run begins and after arrivals (of a multiple of `every`) that were not done before."""
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
    """The console of a report, wide enough for the tables where no terminal says how wide it is."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return make_console(width=wide)


def show(
    console: Console, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)
) -> None:
    """Print a table; of columns that the page has no room for the last go first, the first two stay.

    Args:
        head: Titles of the columns.
        rows: Cells; verdicts are coloured.
        left: Columns of words; the others are figures.
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


def save(path: Path, document: Mapping[str, Any], results: Mapping[str, Any] | None, console: Console) -> None:
    """Write the numbers of an experiment as strict JSON, with what a run of it says it was made with."""
    made = {key: results[key] for key in ("backbone", "environment")} if results else {}
    write_json(path, as_json({**document, **made}), indent=1)
    console.print(f"numbers: {path}", style="dim", soft_wrap=True)


def as_json(value: Any) -> Any:
    """Named tuples as objects, paths as text."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: as_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value


def command(main: Callable[..., None], text: str | None) -> None:
    """Run a script's function as a command, its docstring the help. Exit codes: 0 done, 1 failed, 2 bad input."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(help="\n\n".join(f"\b\n{paragraph}" for paragraph in (text or "").split("\n\n")))(main)
    try:
        app()
    except InputError as error:
        print(*(f"error: {one}" for one in error.errors), sep="\n", file=sys.stderr)
        sys.exit(2)
    except RunFailed as failure:
        print(f"error: {failure}\nfinished work is kept; the same command continues", file=sys.stderr)
        sys.exit(1)
