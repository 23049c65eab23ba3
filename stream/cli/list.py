"""`taskstream list`: everything that has a name."""

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

Row = dict[str, object]  # an entry of the list, as --display json prints it

# Field of `learners.specification.grid.Axes` -> heading.
AXES = {
    "form": "functional form",
    "insertion": "insertion",
    "representation": "modified representation",
    "composition": "composition",
}


def list_names(what: str, folder: Path, display: str) -> None:
    rows = {"tasks": _tasks, "learners": _learners, "metrics": _metrics, "backbones": _backbones}.get(what, list)()
    if what == "runs":
        rows = _runs(folder)
    if display == "json":
        print(json.dumps(rows))
    elif display != "none":
        console = make_console(display)
        for row in rows if what == "runs" else ():
            row["run"] = (
                Path(str(row["run"])).relative_to(folder).as_posix()
            )  # a long path would leave room for nothing else
        if not rows:
            console.print(f"no {what} here")
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
    """Every family on the four axes, as its bare name builds it."""
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
            continue  # a file of that name that is no run
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
    """Short entries, a column each; what does not fit the page is left out, from the right."""
    columns = []
    for rank, heading in enumerate(rows[0]):
        cells = [_cell(row[heading]) for row in rows]
        numeric = any(isinstance(row[heading], int | float) for row in rows)
        columns.append(Column(heading, cells, "right" if numeric else "left", rank))
    return table(columns, width)


def _grid() -> Table:
    """Every learner on the four axes; more of each is told by `taskstream show learner NAME`."""
    from learners.specification.family import families, parse_learner
    from learners.specification.grid import axes

    grid = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        caption="Axes of He et al. (2022), Table 1, at each family's defaults; a family's options move it along them. "
        "Fifth axis, where what is learned lies: isolated, sequential or frozen-shared. taskstream show learner NAME "
        "tells formula, options, parameters and source.",
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
    """Long entries, folded beside their name."""
    folded = Table(box=None, show_header=False, padding=(0, 2, 1, 0), pad_edge=False)
    folded.add_column(style="bold", no_wrap=True)
    folded.add_column(overflow="fold")
    for row in rows:
        name, *texts = (_cell(value) for value in row.values())
        folded.add_row(Text(name), Text("\n".join(texts)))
    return folded


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
