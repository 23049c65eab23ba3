"""`taskstream compare A B`: what differs between two runs, and their figures side by side."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.cli.report import read_results, readable
from stream.config import resolve_config
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.report.names import cut, short_names
from stream.report.numbers import points
from stream.report.terminal.comparison import beside_columns, beside_table
from stream.report.terminal.grid import Column, table
from stream.report.terminal.summary import rule
from stream.results.difference import Side, difference

NAMED = 10  # entries of a list that are printed; all are in the JSON document
ID = 16  # characters of a content id that are printed
PLACES = frozenset({"out", "store", "workers", "log"})  # settings that say where and how a run is done, not what


def compare(a: Path, b: Path, display: str) -> None:
    """Print the comparison.

    Raises:
        InputError: No run in one of the folders, or files that are damaged.
    """
    console = make_console(display)
    with console.status("loading libraries"):
        sides = [read_side(folder) for folder in (a, b)]
    with readable(a), readable(b):
        document = difference(*sides)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        print_difference(document, console)


def read_side(folder: Path) -> Side:
    """A run, finished or not, of which there is results.json at least."""
    results = read_results(folder)
    settings = dict(results.get("settings") or {})
    if (folder / "config.toml").is_file():
        config, _ = resolve_config({}, folder / "config.toml")
        settings = {name: value for name, value in config.model_dump().items() if name not in PLACES}
    if not (folder / "ledger.jsonl").is_file():
        return Side(str(folder), results, settings)
    from stream.storage.events import FitEvent, RowEvent
    from stream.verification.checks import whole_record  # seconds

    _, run = whole_record(folder)
    logits: dict[tuple[str, int, str], str] = {}
    deltas: dict[tuple[str, str], str] = {}
    for event in run.events.values():  # audits come last
        if isinstance(event, RowEvent):
            logits |= {(event.learner, event.arrival, cell.task): cell.logits for cell in event.cells}
        elif isinstance(event, FitEvent):
            deltas[event.learner, event.task] = event.delta
    return Side(str(folder), results, settings, logits, deltas)


def print_difference(document: Mapping[str, Any], console: Console) -> None:
    """Both runs, what differs of what they rest on, cells, figures side by side, and the verdict in one sentence."""
    page = page_of(console)
    for letter in "ab":
        console.print(Text.assemble((letter.upper(), "bold"), page.text(f"  {run_line(document[letter], page)}")))
    for title, entries in (("Settings", document["settings"]), ("Inputs", document["inputs"])):
        section(title, console, page)
        shown = gathered(entries)
        console.print(unlike_table(shown, page) if shown else Text("the same", style="dim"))
        if len(shown) > NAMED:
            console.print(Text(f"and {len(shown) - NAMED:,} more; all of them: --display json", style="dim"))
    only = [(kind, letter, document[kind][f"only_{letter}"]) for kind in ("learners", "tasks") for letter in "ab"]
    if any(names for _, _, names in only) or document["same_order_for"] < len(document["tasks"]["both"]):
        section("Learners and tasks", console, page)
        for kind, letter, names in only:
            if names:
                console.print(Text(page.text(f"{kind} of {letter.upper()} alone: {', '.join(names)}")))
        if document["same_order_for"] < len(document["tasks"]["both"]):
            words = f"same order of tasks for {document['same_order_for']} arrivals; then each task's score on the day"
            console.print(Text(page.text(f"{words} it was learned is compared"), style="dim"))
    names = document["learners"]["both"]
    if names:
        print_figures(document, names, console, page)
    console.print()
    console.print(Text(page.text(verdict(document)), style="bold"))


def print_figures(document: Mapping[str, Any], names: Sequence[str], console: Console, page: Page) -> None:
    section("Cells of R", console, page)
    console.print(beside_table(names, [cell_columns([document["cells"][name] for name in names], page)], page))
    differing = [(name, cell) for name in names for cell in document["cells"][name]["differing"]]
    if differing:
        console.print()
        console.print(Text("where they differ most, and in how many cells; all cells: --display json", style="dim"))
        console.print(table(differing_columns(differing, page), page.width))
    for title, of, groups in (
        ("Metrics", "metrics", {"average_accuracy": "score", "forgetting_chaudhry": "forget", "bwt_gem": "BWT"}),
        ("Cost", "cost", {"growth": "growth", "train_seconds": "train time", "bytes_per_task": "disk/task",
                          "evaluate_seconds": "eval. time", "trained_parameters_per_task": "trained/task"}),
    ):  # fmt: skip
        section(title, console, page)
        if not document["same"]["tasks"] or document["a"]["arrivals"] != document["b"]["arrivals"]:
            console.print(Text("of each run over the tasks that arrived in it", style="dim"))
        rows = [document[of][name] for name in names]
        columns = [beside_columns(heading, [row[key] for row in rows], key, page) for key, heading in groups.items()]
        console.print(beside_table(names, columns, page))


def run_line(run: Mapping[str, Any], page: Page) -> str:
    done = f"{run['arrivals']} of {run['tasks']} arrivals" if run["arrivals"] < run["tasks"] else "finished"
    return page.joined(
        run["folder"],
        f"{run['suite']}, {run['tasks']} {'task' if run['tasks'] == 1 else 'tasks'}",
        f"{run['learners']} {'learner' if run['learners'] == 1 else 'learners'}",
        done,
        "" if run["ledger"] else "no ledger: logits not compared",
    )


def section(title: str, console: Console, page: Page) -> None:
    console.print()
    console.print(rule(title, page))


def unlike_table(entries: Sequence[Mapping[str, Any]], page: Page) -> Table:
    """What differs, with the value of each."""
    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("", "A", "B"):
        shown.add_column(heading, overflow="fold")
    for entry in entries[:NAMED]:
        shown.add_row(*(Text(page.text(words)) for words in (entry["name"], written(entry["a"]), written(entry["b"]))))
    return shown


def gathered(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Entries with what differs alike in several tasks, or several learners, on one line."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        groups.setdefault(entry["name"].partition(" of ")[0], []).append(entry)
    found: list[Mapping[str, Any]] = []
    for first, *others in groups.values():
        name = f"{first['name']} and {len(others)} more" if others else first["name"]
        each = {
            side: first[side] if all(entry[side] == first[side] for entry in others) else "various" for side in "ab"
        }
        found.append({"name": name, **each})
    return found


def written(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text[:ID] if re.fullmatch(r"[0-9a-f]{40,64}\+?", text) else text


def cell_columns(cells: Sequence[Mapping[str, Any]], page: Page) -> list[Column]:
    def of(entry: Mapping[str, int]) -> str:
        return f"{entry['equal']:,}/{entry['told']:,}" if entry["told"] else page.missing

    return [
        Column("cells", [f"{cell['compared']:,}" for cell in cells]),
        Column("equal", [f"{cell['equal']:,}" for cell in cells]),
        Column("differ", [f"{cell['differ']:,}" for cell in cells]),
        Column("by up to", [points(cell["largest"], page, exact_zero=True) for cell in cells]),
        Column("logits\nbitwise", [of(cell["logits"]) for cell in cells]),
        Column("Deltas\nbitwise", [of(cell["deltas"]) for cell in cells]),
    ]


def differing_columns(cells: Sequence[tuple[str, Mapping[str, Any]]], page: Page) -> list[Column]:
    """Of each learner and task whose cells differ, how many, and the cell that differs most; the largest first."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for name, cell in cells:
        groups.setdefault((name, cell["task"]), []).append(cell)

    def size(cell: Mapping[str, Any]) -> float:
        return math.inf if cell["difference"] is None else abs(cell["difference"])  # no score in one: before all others

    most = {group: max(found, key=size) for group, found in groups.items()}
    shown = sorted(most, key=lambda group: -size(most[group]))[:NAMED]
    learners = list(dict.fromkeys(name for name, _ in shown))
    short = dict(zip(learners, short_names([page.text(name) for name in learners], page.width - 56), strict=True))
    arrivals = [
        str(cell["arrival_a"]) + (f" / {cell['arrival_b']}" if cell["arrival_a"] != cell["arrival_b"] else "")
        for cell in map(most.__getitem__, shown)
    ]
    return [
        Column("learner", [short[name] for name, _ in shown], "left"),
        Column("task", [cut(page.text(task), 20) for _, task in shown], "left"),
        Column("cells", [f"{len(groups[group]):,}" for group in shown]),
        Column("arrival", arrivals),
        Column("A", [points(most[group]["a"], page) for group in shown]),
        Column("B", [points(most[group]["b"], page) for group in shown]),
        Column("B - A", [points(most[group]["difference"], page, sign=True) for group in shown]),
    ]


def verdict(document: Mapping[str, Any]) -> str:
    """The last line: whether they differ, and in what."""
    cells, same = document["cells"].values(), document["same"]
    total, differ = (sum(cell[key] for cell in cells) for key in ("compared", "differ"))
    told, equal = (sum(cell["logits"][key] for cell in cells) for key in ("told", "equal"))
    others = [name for name in ("settings", "inputs", "learners", "tasks") if not same[name]]
    return "; ".join(
        (
            "nothing to compare: no cell of R is in both" if not total
            else f"different: {differ:,} of {total:,} cells of R" if differ
            else f"equal: all {total:,} cells of R that both have",
            *([f"{equal:,} of {told:,} logits bitwise equal"] if told else []),
            f"different {', '.join(others)}" if others else "same settings, inputs, learners and tasks",
        )
    )  # fmt: skip
