"""`taskstream compare A B`: the differences between two runs, and their numbers side by side."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.api.compare import compare as difference_of
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.report.names import cut, shown_names
from stream.report.numbers import points
from stream.report.terminal.comparison import comparison_columns, comparison_table
from stream.report.terminal.grid import Column, table
from stream.report.terminal.summary import rule
from stream.results.cell_comparison import Bitwise, CellComparison, DifferingCell
from stream.results.difference import Difference, RunFacts, Unlike

NAMED = 10  # number of entries of a list that are printed; the JSON document has all
ID = 16  # number of characters of a content id that are printed


def compare(a: Path, b: Path, display: str) -> None:
    """Print the comparison of the runs in the folders `a` and `b`.

    Raises:
        InputError: A folder contains no run, or its files are damaged.
    """
    console = make_console(display)
    with console.status("loading libraries"):
        found = difference_of(a, b)
    if display == "json":
        print(json.dumps(found.as_dict()))
    elif display != "none":
        print_difference(found, console)


def print_difference(found: Difference, console: Console) -> None:
    """Print both runs, the differences between their inputs, cells and numbers, and the verdict in one sentence."""
    page = page_of(console)
    for letter, run in (("A", found.a), ("B", found.b)):
        console.print(Text.assemble((letter, "bold"), page.text(f"  {run_line(run, page)}")))
    for title, entries in (("Settings", found.settings), ("Inputs", found.inputs)):
        section(title, console, page)
        shown = gathered(entries)
        console.print(unlike_table(shown, page) if shown else Text("the same", style="dim"))
        if len(shown) > NAMED:
            console.print(Text(f"and {len(shown) - NAMED:,} more; all of them: --display json", style="dim"))
    only = {
        "learners of A": found.learners.only_a,
        "learners of B": found.learners.only_b,
        "tasks of A": found.tasks.only_a,
        "tasks of B": found.tasks.only_b,
    }
    reordered = found.same_order_for < len(found.tasks.both)
    if any(only.values()) or reordered:
        section("Learners and tasks", console, page)
        for whose, names in only.items():
            if names:
                console.print(Text(page.text(f"only {whose}: {', '.join(names)}")))
        if reordered:
            words = f"same order of tasks for {found.same_order_for} arrivals; for later tasks the table compares the"
            console.print(Text(page.text(f"{words} score right after training"), style="dim"))
    if found.learners.both:
        print_figures(found, console, page)
    console.print()
    console.print(Text(page.text(verdict(found)), style="bold"))


def print_figures(found: Difference, console: Console, page: Page) -> None:
    section("Cells of R", console, page)
    names = found.learners.both
    console.print(comparison_table(names, [cell_columns([found.cells[name] for name in names], page)], page))
    differing = [(name, cell) for name in names for cell in found.cells[name].differing]
    if differing:
        console.print()
        console.print(Text("largest differences, and how many cells differ; all of them: --display json", style="dim"))
        console.print(table(differing_columns(differing, names, page), page.width))
    for title, of, groups in (
        ("Metrics", found.metrics, {"average_accuracy": "score", "forgetting_chaudhry": "forget", "bwt_gem": "BWT"}),
        ("Cost", found.cost, {"growth": "growth", "train_seconds": "train time", "bytes_per_task": "disk/task",
                          "evaluate_seconds": "eval. time", "trained_parameters_per_task": "trained/task"}),
    ):  # fmt: skip
        section(title, console, page)
        if not found.same.tasks or found.a.arrivals != found.b.arrivals:
            console.print(Text("for each run, over the tasks that have arrived in it", style="dim"))
        columns = [
            comparison_columns(heading, [of[name][key] for name in names], key, page) for key, heading in groups.items()
        ]
        console.print(comparison_table(names, columns, page))


def run_line(run: RunFacts, page: Page) -> str:
    done = f"{run.arrivals} of {run.tasks} arrivals" if run.arrivals < run.tasks else "finished"
    return page.joined(
        run.folder,
        f"{run.suite}, {run.tasks} {'task' if run.tasks == 1 else 'tasks'}",
        f"{run.learners} {'learner' if run.learners == 1 else 'learners'}",
        done,
        "" if run.ledger else "no ledger: logits not compared",
    )


def section(title: str, console: Console, page: Page) -> None:
    console.print()
    console.print(rule(title, page))


def unlike_table(entries: Sequence[Unlike], page: Page) -> Table:
    """One row per difference, with both values."""
    shown = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("", "A", "B"):
        shown.add_column(heading, overflow="fold")
    for entry in entries[:NAMED]:
        shown.add_row(*(Text(page.text(words)) for words in (entry.name, written(entry.a), written(entry.b))))
    return shown


def gathered(entries: Sequence[Unlike]) -> list[Unlike]:
    """The entries, with those about the same property of several tasks or learners joined into one."""
    groups: dict[str, list[Unlike]] = {}
    for entry in entries:
        groups.setdefault(entry.name.partition(" of ")[0], []).append(entry)
    found = []
    for first, *others in groups.values():
        name = f"{first.name} and {len(others)} more" if others else first.name
        a = first.a if all(entry.a == first.a for entry in others) else "various"
        b = first.b if all(entry.b == first.b for entry in others) else "various"
        found.append(Unlike(name, a, b))
    return found


def written(value: object) -> str:
    text = "not set" if value is None else str(value)
    return text[:ID] if re.fullmatch(r"[0-9a-f]{40,64}\+?", text) else text


def cell_columns(cells: Sequence[CellComparison], page: Page) -> list[Column]:
    def of(entry: Bitwise) -> str:
        return f"{entry.equal:,}/{entry.told:,}" if entry.told else page.missing

    return [
        Column("cells", [f"{cell.compared:,}" for cell in cells]),
        Column("equal", [f"{cell.equal:,}" for cell in cells]),
        Column("differ", [f"{cell.differ:,}" for cell in cells]),
        Column("by up to", [points(cell.largest, page, exact_zero=True) for cell in cells]),
        Column("logits\nbitwise", [of(cell.logits) for cell in cells]),
        Column("Deltas\nbitwise", [of(cell.deltas) for cell in cells]),
    ]


def differing_columns(cells: Sequence[tuple[str, DifferingCell]], names: Sequence[str], page: Page) -> list[Column]:
    """One row per learner and task with differing cells: how many differ, and the largest difference. Largest first."""
    groups: dict[tuple[str, str], list[DifferingCell]] = {}
    for name, cell in cells:
        groups.setdefault((name, cell.task), []).append(cell)

    def size(cell: DifferingCell) -> float:
        return math.inf if cell.difference is None else abs(cell.difference)  # a missing score counts as largest

    most = {group: max(found, key=size) for group, found in groups.items()}
    shown = sorted(most, key=lambda group: -size(most[group]))[:NAMED]
    full = [page.text(name) for name in names]
    short = dict(zip(names, shown_names(full, page.width - 56, full), strict=True))
    arrivals = [
        str(cell.arrival_a) + (f" / {cell.arrival_b}" if cell.arrival_a != cell.arrival_b else "")
        for cell in map(most.__getitem__, shown)
    ]
    return [
        Column("learner", [short[name] for name, _ in shown], "left"),
        Column("task", [cut(page.text(task), 20) for _, task in shown], "left"),
        Column("cells", [f"{len(groups[group]):,}" for group in shown]),
        Column("arrival", arrivals),
        Column("A", [points(most[group].a, page) for group in shown]),
        Column("B", [points(most[group].b, page) for group in shown]),
        Column("B - A", [points(most[group].difference, page, sign=True) for group in shown]),
    ]


def verdict(found: Difference) -> str:
    """The last line: whether the runs differ, and in what."""
    cells = found.cells.values()
    total, differ = sum(cell.compared for cell in cells), sum(cell.differ for cell in cells)
    told, equal = sum(cell.logits.told for cell in cells), sum(cell.logits.equal for cell in cells)
    others = [name for name in ("settings", "inputs", "learners", "tasks") if not getattr(found.same, name)]
    return "; ".join(
        (
            "nothing to compare: the runs have no cell of R in common" if not total
            else f"different: {differ:,} of {total:,} cells of R" if differ
            else f"equal: all {total:,} common cells of R",
            *([f"{equal:,} of {told:,} logits bitwise equal"] if told else []),
            f"different {', '.join(others)}" if others else "same settings, inputs, learners and tasks",
        )
    )  # fmt: skip
