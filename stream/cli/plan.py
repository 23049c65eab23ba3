"""`taskstream plan`: what `run` would do with the same options. Nothing is computed, no run's folder touched."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from stream.api.arguments import read_call
from stream.api.plan import preview
from stream.errors import RunFailed
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.report.names import legend, short_names
from stream.report.numbers import duration, scaled
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.report.terminal.summary import rule

NAME_WIDTH = 14  # as in the league table
KINDS = {"before": "before", "fit": "fits", "evaluate": "rows", "audit": "audits"}


def plan(given: Mapping[str, Any], display: str) -> int:
    """Print the plan; returns the exit code.

    Raises:
        InputError: What `run` would refuse, for the same reasons.
    """
    call = read_call(given, origin="command line")
    console = make_console(display)
    try:
        with console.status("loading libraries") as status:
            document = preview(call, lambda text: status.update(Text(text))).as_dict()
    except RunFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        print_plan(document, console)
    return 0


def print_plan(document: Mapping[str, Any], console: Console) -> None:
    """What would run, what of it is done, a line for each learner, and how long the rest may take."""
    page = page_of(console)
    order, learners = document["order"], document["learners"]
    facts = (
        f"{document['suite']}: {len(order)} {'task' if len(order) == 1 else 'tasks'}",
        f"backbone {document['backbone']['name']}",
        f"seed {document['seed']}",
        f"to {document['out']}",
    )
    console.print(Text.assemble(("taskstream plan", "bold"), page.text(f"  {page.joined(*facts)}")))
    for note in document["notes"]:
        console.print(Text(page.text(f"note: {note}"), style="yellow"))
    console.print(Text(page.text(jobs_line(document["jobs"]))))
    console.print(Text(page.text(cells_line(document))))
    console.print()
    console.print(rule("What is left", page))
    names = [page.text(name) for name in learners]
    room = page.width - 1 - min(max(map(len, names)), NAME_WIDTH)
    columns = fitting(figures(learners.values(), page), room)
    short = short_names(names, page.width - 1 - table_width(columns))
    console.print(table([Column("learner", short, "left"), *columns], page.width))
    for line in (*legend(names, short, page), *(Text(line, style="dim") for line in caption(document, page))):
        console.print(line)
    console.print()
    console.print(Text(page.text(estimate_line(document, page)), style="bold"))


def jobs_line(jobs: Mapping[str, Mapping[str, int]]) -> str:
    """Jobs by kind, and how many are done."""
    kinds = ", ".join(f"{counts['all']:,} {KINDS[kind]}" for kind, counts in jobs.items() if counts["all"])
    total, done = (sum(counts[which] for counts in jobs.values()) for which in ("all", "done"))
    stored = jobs["fit"]["in_store"]
    found = f"; {stored:,} more {'fit is' if stored == 1 else 'fits are'} in the store" if stored else ""
    return f"{total:,} jobs: {kinds}; {done:,} done already{found}; {total - done - stored:,} left"


def cells_line(document: Mapping[str, Any]) -> str:
    """Cells of R by how they would come about."""
    cells = document["cells"]
    words = {"before": "before training", "measured": "measured", "audited": "audited", "certified": "certified"}
    kinds = ", ".join(f"{cells[how]:,} {words[how]}" for how in words if cells.get(how))
    return f"evaluate {document['evaluate']}: {kinds}; {document['cells_left']:,} evaluations left"


def figures(learners: Iterable[Mapping[str, Any]], page: Page) -> list[Column]:
    rows = list(learners)

    def seconds(name: str) -> list[str]:
        return [duration(row[name], page) if row[name] != 0 else "0" for row in rows]

    return [
        Column("fits", [f"{row['jobs']['fit']['all']:,}" for row in rows], rank=3),
        Column("done", [f"{row['jobs']['fit']['done']:,}" for row in rows], rank=2),
        Column("stored", [f"{row['fits_in_store']:,}" for row in rows], rank=2),
        Column("fits\nleft", [f"{row['fits_left']:,}" for row in rows]),
        Column("cells\nleft", [f"{row['cells_left']:,}" for row in rows]),
        Column("FLOPs", [scaled(row["flops_left"], page) if row["flops_left"] else "0" for row in rows], rank=1),
        Column("fit\ntime", seconds("fit_seconds")),
        Column("evaluate\ntime", seconds("evaluate_seconds")),
        Column("after", [row["basis"] or "" for row in rows], "left", rank=4),
    ]


def caption(document: Mapping[str, Any], page: Page) -> list[str]:
    bases = {learner["basis"] for learner in document["learners"].values()}
    rate = document["flops_per_second"]
    lines = ["done: in the run's ledger; stored: fits that the store has of other runs."]
    lines += ["FLOPs: of the fits left, if each comes to its last epoch."] if bases - {None} or rate is None else []
    if "own" in bases:
        lines.append("after own: at the pace of finished fits of that learner.")
    if "others" in bases:
        lines.append(f"after others: at {scaled(rate, page, 'FLOP/s')}, the rate of all finished fits in the store.")
    return lines


def estimate_line(document: Mapping[str, Any], page: Page) -> str:
    """How long the rest may take."""
    if sum(counts["all"] - counts["done"] for counts in document["jobs"].values()) == 0:
        return "all is done; run would print the report"
    workers = document["workers"]
    by = f"on {workers} {'process' if workers == 1 else 'processes'}"
    if document["seconds"] is None:
        return f"time {by}: unknown until the first fits are done"
    return f"time {by}: about {duration(document['seconds'], page)}, libraries and start not included"
