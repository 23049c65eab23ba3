"""`taskstream list`: print the names of tasks, learners, metrics, backbones or runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from stream.report import make_console
from stream.report.terminal.grid import Column, table
from stream.results.results import load_results
from tasks.errors import InputError
from tasks.suite import SUITES, TASKS

Row = dict[str, object]  # one entry of the list, as --display json prints it

# Field of `learners.specification.grid.Axes` -> heading.
AXES = {
    "form": "functional form",
    "insertion": "insertion",
    "representation": "modified representation",
    "composition": "composition",
}


def list_names(what: str, folder: Path, display: str) -> None:
    """Print one list.

    Args:
        what: tasks, learners, metrics, backbones or runs.
        folder: Folder that is searched for runs.
    """
    rows = {"tasks": _tasks, "learners": _learners, "metrics": _metrics, "backbones": _backbones}.get(what, list)()
    if what == "runs":
        rows = _runs(folder)
    if display == "json":
        print(json.dumps(rows))
    elif display != "none":
        console = make_console(display)
        for row in rows if what == "runs" else ():
            # Relative, because a long path would leave no room for the other columns.
            row["run"] = Path(str(row["run"])).relative_to(folder).as_posix()
        if not rows:
            console.print(f"no runs in {folder}" if what == "runs" else f"no {what}", markup=False)
        elif what == "learners":
            console.print(_grid())
        else:
            console.print(_descriptions(rows) if what == "metrics" else _figures(rows, console.width))


def _tasks() -> list[Row]:
    rows: list[Row] = []
    for task in TASKS.values():
        paper = task.paper
        suites = [name for name, members in SUITES.items() if task.name in members]
        rows.append({"name": task.name, "kind": task.kind, "metric": task.metric,
                     "classes": None if task.kind == "regression" else task.outputs,
                     "train": paper and paper.train, "fine-tune": paper and paper.fine_tune,
                     "adapters": paper and paper.adapters, "suite": suites[0], "title": task.title})  # fmt: skip
    return rows


def _learners() -> list[Row]:
    """Every family with its place on the four axes, at its default options."""
    from learners.specification.family import families, parse_learner
    from learners.specification.grid import axes

    rows: list[Row] = []
    for name, family in families().items():
        about = {"title": family.title, "examples": ", ".join(family.examples), "citation": family.citation}
        rows.append({"name": name, **about, "axes": [asdict(each) for each in axes(parse_learner(name))]})
    return rows


def _metrics() -> list[Row]:
    from stream.results.metrics import describe, metrics
    from tasks.metrics import TASK_METRICS

    described = [describe(m) for m in (*metrics().values(), *TASK_METRICS.values())]
    return [{key: row[key] for key in ("name", "title", "formula", "direction")} for row in described]


def _backbones() -> list[Row]:
    from learners.backbones.architecture import parameters
    from learners.backbones.published import KNOWN_CONFIGS, known_architecture

    uses = {"embedded": "run, cost (the default)", "minilm": "run, cost (extra minilm)"}
    names = dict.fromkeys((*uses, *KNOWN_CONFIGS))
    return [
        {
            "name": name,
            "parameters": parameters(known_architecture(name)),
            "use": uses.get(name, "cost; run as a hub id"),
        }
        for name in names
    ]


def _runs(folder: Path) -> list[Row]:
    rows: list[Row] = []
    for path in sorted(folder.glob("**/results.json")):
        try:
            results = load_results(path.parent)
        except InputError:
            continue  # another file with this name
        failed = sum(len(learner.failures) for learner in results.learners.values())
        done = f"{results.arrivals}/{len(results.order)}" + (f", failed: {failed}" if failed else "")
        rows.append(
            {
                "run": str(path.parent),
                "arrivals": done,
                "suite": results.suite,
                "backbone": results.backbone.name,
                "learners": ", ".join(results),
            }
        )
    return rows


def _figures(rows: Sequence[Row], width: int) -> Table:
    """A table with one column per field. Columns that do not fit the page are left out, from the right."""
    columns = []
    for rank, heading in enumerate(rows[0]):
        cells = [_cell(row[heading]) for row in rows]
        numeric = any(isinstance(row[heading], int | float) for row in rows)
        columns.append(Column(heading, cells, "right" if numeric else "left", rank))
    return table(columns, width)


def _grid() -> Table:
    """A table of every family on the four axes."""
    from learners.specification.family import families, parse_learner
    from learners.specification.grid import axes

    grid = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        caption="Axes of He et al. (2022), Table 1, at each family's default options; options can change them. The "
        "fifth axis is how tasks share what is learned: isolated, sequential or frozen-shared. Formula, options, "
        "parameters and source: taskstream show learner NAME.",
        caption_justify="left",
    )
    grid.add_column("learner", no_wrap=True, style="bold")
    for heading in AXES.values():
        grid.add_column(heading, overflow="fold")
    for name in families():
        for index, each in enumerate(axes(parse_learner(name)) or [None]):
            cells = (Text("–" if each is None else getattr(each, field)) for field in AXES)
            grid.add_row(Text("" if index else name), *cells)
    return grid


def _descriptions(rows: Sequence[Row]) -> Table:
    """A table of long entries: the name, and beside it the other fields on lines of their own."""
    folded = Table(box=None, show_header=False, padding=(0, 2, 1, 0), pad_edge=False)
    folded.add_column(style="bold", no_wrap=True)
    folded.add_column(overflow="fold")
    for row in rows:
        name, *texts = (_cell(value) for value in row.values())
        folded.add_row(Text(name), Text("\n".join(texts)))
    return folded


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
