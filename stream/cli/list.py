"""`taskstream list`: everything that has a name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from stream.report import make_console
from stream.report.terminal.grid import Column, table
from stream.results.file import read_results
from tasks.errors import InputError
from tasks.suite import SUITES, TASKS

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
                Path(row["run"]).relative_to(folder).as_posix()
            )  # a long path would leave room for nothing else
        if not rows:
            console.print(f"no {what} here")
        elif what == "learners":
            console.print(_grid(rows))
        else:
            console.print(_descriptions(rows) if what == "metrics" else _figures(rows, console.width))


def _tasks() -> list[dict[str, Any]]:
    rows = []
    for task in TASKS.values():
        paper = task.paper
        suites = [name for name, members in SUITES.items() if task.name in members]
        rows.append({"name": task.name, "kind": task.kind, "metric": task.metric,
                     "classes": None if task.kind == "regression" else task.outputs,
                     "train": paper and paper.train, "fine-tune": paper and paper.fine_tune,
                     "adapters": paper and paper.adapters, "suite": suites[0], "title": task.title})  # fmt: skip
    return rows


def _learners() -> list[dict[str, Any]]:
    """Every family on the four axes, as its bare name builds it."""
    from learners.specification.family import families, parse_learner
    from learners.specification.grid import axes

    rows: list[dict[str, Any]] = []
    for name, family in families().items():
        about = {"title": family.title, "examples": ", ".join(family.examples), "citation": family.citation}
        rows.append({"name": name, **about, "axes": [asdict(each) for each in axes(parse_learner(name))]})
    return rows


def _metrics() -> list[dict[str, Any]]:
    from stream.results.metrics import describe, metrics
    from tasks.metrics import TASK_METRICS

    described = [describe(m) for m in (*metrics().values(), *TASK_METRICS.values())]
    return [{key: row[key] for key in ("name", "title", "formula", "direction")} for row in described]


def _backbones() -> list[dict[str, Any]]:
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


def _runs(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(folder.glob("**/results.json")):
        try:
            results = read_results(path.parent)
        except InputError:
            continue  # a file of that name that is no run
        if not {"learners", "suite", "order", "backbone"} <= results.keys():
            continue
        done = [len(learner["R"]) - 1 for learner in results["learners"].values()]
        failed = sum(len(learner.get("failures", ())) for learner in results["learners"].values())
        rows.append(
            {
                "run": str(path.parent),
                "arrivals": f"{min(done)}/{len(results['order'])}" + (f", failed: {failed}" if failed else ""),
                "suite": results["suite"],
                "backbone": results["backbone"]["name"],
                "learners": ", ".join(results["learners"]),
            }
        )
    return rows


def _figures(rows: Sequence[dict[str, Any]], width: int) -> Table:
    """Short entries, a column each; what does not fit the page is left out, from the right."""
    columns = []
    for rank, heading in enumerate(rows[0]):
        cells = [_cell(row[heading]) for row in rows]
        numeric = any(isinstance(row[heading], int | float) for row in rows)
        columns.append(Column(heading, cells, "right" if numeric else "left", rank))
    return table(columns, width)


def _grid(rows: Sequence[dict[str, Any]]) -> Table:
    """Every learner on the four axes; more of each is told by `taskstream show learner NAME`."""
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
    for row in rows:
        name, nothing = row["name"], dict.fromkeys(AXES, "–")
        for each in row["axes"] or [nothing]:
            grid.add_row(Text(name), *(Text(each[field]) for field in AXES))
            name = ""
    return grid


def _descriptions(rows: Sequence[dict[str, Any]]) -> Table:
    """Long entries, folded beside their name."""
    folded = Table(box=None, show_header=False, padding=(0, 2, 1, 0), pad_edge=False)
    folded.add_column(style="bold", no_wrap=True)
    folded.add_column(overflow="fold")
    for row in rows:
        name, *texts = (_cell(value) for value in row.values())
        folded.add_row(Text(name), Text("\n".join(texts)))
    return folded


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
