"""`taskstream list`: print the names of tasks, learners, metrics, backbones, protocols or runs."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stream.report import make_console
from stream.report.terminal.grid import Column, table
from stream.results.results import load_results
from tasks.errors import InputError
from tasks.suite import SUITES, TASKS

Row = dict[str, object]  # one entry of the list, as --display json prints it

TITLE_WIDTH = 36  # characters; with name and parameters it fits 60 columns
COUNTED_ON = "embedded"  # the backbone of the parameter counts: the default one
LEARNERS_CAPTION = (
    f"parameters: trained per task without its head, at default options, on the backbone {COUNTED_ON}; another "
    "backbone: taskstream show learner NAME --backbone minilm. It also shows the options, the papers, the formula and "
    "the place on the axes of He et al. (2022)."
)
TASKS_CAPTION = (
    "train, fine-tune, adapters: training rows and scores of Houlsby et al. (2019), Tables 1 and 2; blank: not there."
)
CAPTIONS = {"learners": LEARNERS_CAPTION, "tasks": TASKS_CAPTION}


def list_names(what: str, folder: Path, display: str) -> None:
    """Print one list.

    Args:
        what: tasks, learners, metrics, backbones, protocols or runs.
        folder: Folder that is searched for runs.
    """
    lists = {
        "tasks": _tasks,
        "learners": _learners,
        "metrics": _metrics,
        "backbones": _backbones,
        "protocols": _protocols,
    }
    rows = lists.get(what, list)()
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
        elif what in ("metrics", "protocols"):
            console.print(_descriptions(rows))
        else:
            console.print(_figures(_learner_lines(rows) if what == "learners" else rows, console.width))
            if what in CAPTIONS:
                console.print(Text(CAPTIONS[what], style="dim"))


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
    """Every family with its size and its place on the four axes, at its default options."""
    from learners.backbones.published import known_architecture
    from learners.specification.family import families, parse_learner
    from learners.specification.grid import axes
    from stream.results.growth import task_cost

    architecture = known_architecture(COUNTED_ON)
    rows: list[Row] = []
    for name, family in families().items():
        learner = parse_learner(name)
        # The library peft counts its own methods, and takes seconds to import.
        parameters = None if learner.peft else task_cost(learner, architecture, outputs=2).without_head
        about = {"title": family.title, "examples": ", ".join(family.examples), "citation": family.citation}
        places = [asdict(each) for each in axes(learner)]
        rows.append({"name": name, **about, "parameters": parameters, "axes": places})
    return rows


def _learner_lines(rows: Sequence[Row]) -> list[Row]:
    """One line per family: its name, size, title and first paper. A long title of a plug-in is shortened."""
    paper = re.compile(r"[^;:(]*?\b\d{4}\b")
    return [
        {
            "learner": row["name"],
            "parameters": "depends" if row["parameters"] is None else row["parameters"],
            "what it is": textwrap.shorten(str(row["title"]), TITLE_WIDTH, placeholder=" ..."),
            "paper": found.group() if (found := paper.match(str(row["citation"]))) else None,
        }
        for row in rows
    ]


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


def _protocols() -> list[Row]:
    """What each preset compares, its source, and its fits."""
    from stream.config.protocol import protocols, read_protocol
    from stream.engine.protocol_cost import protocol_cost
    from stream.study.settings import resolve_study

    rows: list[Row] = []
    for name in protocols():
        protocol, (settings, _, grid) = read_protocol(name), resolve_study({"protocol": name})
        cost = protocol_cost(settings, len(grid.seeds)).as_dict()
        work = f"{cost['fits']:,} fits, about {cost['flops']:.2g} FLOPs"
        rows.append({"name": name, "title": protocol.title, "source": protocol.source, "cost": work})
    return rows


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


def _descriptions(rows: Sequence[Row]) -> Group:
    """Long entries: the name, and below it the other fields, each on lines of its own."""
    parts: list[RenderableType] = []
    for row in rows:
        name, *texts = (_cell(value) for value in row.values())
        parts += [Text(name, style="bold"), Padding(Text("\n".join(texts)), (0, 0, 0, 2))]
    return Group(*parts)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
