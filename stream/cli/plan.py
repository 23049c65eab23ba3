"""`taskstream plan`: print what `run` would do with the same options. No job runs, and no run folder changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from stream.api.arguments import read_call
from stream.api.preview import preview
from stream.errors import RunFailed
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.report.names import legend, shown_names
from stream.report.numbers import duration, scaled
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.report.terminal.summary import rule

NAME_WIDTH = 14  # as in the league table
KINDS = {"before": "evaluations before training", "evaluate": "rows of R", "audit": "audits"}


def plan(given: Mapping[str, Any], display: str) -> int:
    """Print the plan.

    Args:
        given: Arguments of `stream.plan` by name.

    Returns:
        The exit code: 0, or 1 if a file is not readable.

    Raises:
        InputError: Input that `run` would reject too.
    """
    call = read_call(given, origin="command line")
    console = make_console(display)

    def announce(text: str) -> None:
        if display in ("rich", "plain"):
            console.print(Text(page_of(console).text(text), style="dim"))

    try:
        with console.status("loading libraries") as status:
            if call.grid is None:
                document = preview(call, lambda text: status.update(Text(text)), announce).as_dict()
            else:
                from stream.api.study_plan import preview_study

                document = preview_study(call, call.grid, lambda text: status.update(Text(text)), announce).as_dict()
    except RunFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        print_plan(document, console)
    return 0


def print_plan(document: Mapping[str, Any], console: Console) -> None:
    """Print the jobs, how many are done, one line per learner, and the estimated time for the rest."""
    page = page_of(console)
    learners = document["learners"]
    tasks = document["tasks"] if "members" in document else len(document["order"])
    facts = (
        f"{document['suite']}: {tasks} {'task' if tasks == 1 else 'tasks'}",
        f"backbone {document['backbone']['name']}",
        f"{len(document['members'])} members of a study" if "members" in document else f"seed {document['seed']}",
        f"to {document['out']}",
    )
    console.print(Text.assemble(("taskstream plan", "bold"), page.text(f"  {page.joined(*facts)}")))
    for note in document["notes"]:
        console.print(Text(page.text(f"note: {note}"), style="yellow"))
    console.print(Text(page.text(jobs_line(document))))
    console.print(Text(page.text(cells_line(document))))
    console.print()
    console.print(rule("What is left", page))
    names = [page.text(name) for name in learners]
    room = page.width - 1 - min(max(map(len, names)), NAME_WIDTH)
    columns = fitting(figures(learners.values(), page), room)
    short = shown_names(names, page.width - 1 - table_width(columns), names)
    console.print(table([Column("learner", short, "left"), *columns], page.width))
    for line in (*legend(names, short, page), *(Text(line, style="dim") for line in caption(document, page))):
        console.print(line)
    console.print()
    if document.get("flops"):
        console.print(Text(page.text(saving_line(document, page))))
    console.print(Text(page.text(estimate_line(document, page)), style="bold"))


def jobs_line(document: Mapping[str, Any]) -> str:
    """Number of jobs by kind, and how many are done. Fits are counted as in the table: a fit that a search stops and
    goes on with has several jobs, and the fit that it keeps has one more."""
    jobs, learners = document["jobs"], document["learners"].values()
    total, done = (sum(counts[which] for counts in jobs.values()) for which in ("all", "done"))
    fits, chosen = (sum(learner["fits"][which] for learner in learners) for which in ("all", "to_choose"))
    in_jobs = sum(jobs[kind]["all"] for kind in ("search", "fit") if kind in jobs)
    kinds = {kind: f"{jobs[kind]['all']:,} {noun}" for kind, noun in KINDS.items() if jobs[kind]["all"]}
    told = f"{fits:,} {'fit' if fits == 1 else 'fits'}"
    told += f" ({chosen:,} to choose) in {in_jobs:,} jobs" if chosen else ""
    parts = [part for part in (kinds.get("before"), told, kinds.get("evaluate"), kinds.get("audit")) if part]
    stored = sum(learner["fits_in_store"] for learner in learners)
    found = f"; {stored:,} more {'fit is' if stored == 1 else 'fits are'} in the store" if stored else ""
    shared = sum(learner.get("fits_shared", 0) for learner in learners)
    found += f"; {shared:,} {'fit is' if shared == 1 else 'fits are'} shared with other members" if shared else ""
    return f"{total:,} jobs: {', '.join(parts)}; {done:,} done{found}; {document['jobs_left']:,} left"


def cells_line(document: Mapping[str, Any]) -> str:
    """Number of cells of R by the way they get their score."""
    cells = document["cells"]
    words = {
        "before": "before training",
        "measured": "measured",
        "partly-measured": "measured in part (frozen layers: once per task and process)",
        "audited": "audited",
        "certified": "certified",
    }
    kinds = ", ".join(f"{cells[how]:,} {words[how]}" for how in words if cells.get(how))
    return f"evaluate {document['evaluate']}: {kinds}; {document['cells_left']:,} evaluations left"


def figures(learners: Iterable[Mapping[str, Any]], page: Page) -> list[Column]:
    rows = list(learners)
    chosen = [f"{row['fits']['to_choose']:,}" for row in rows]

    def seconds(name: str) -> list[str]:
        return [duration(row[name], page) if row[name] != 0 else "0" for row in rows]

    return [
        Column("fits", [f"{row['fits']['all']:,}" for row in rows], rank=3),
        *([Column("to\nchoose", chosen, rank=4)] if any(row["fits"]["to_choose"] for row in rows) else []),
        Column("done", [f"{row['fits']['done']:,}" for row in rows], rank=2),
        Column("stored", [f"{row['fits_in_store']:,}" for row in rows], rank=2),
        *([Column("shared", [f"{row['fits_shared']:,}" for row in rows], rank=2)] if "fits_shared" in rows[0] else []),
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
    lines = ["done: in the run's ledger; stored: fits of other runs in the store."]
    if any(learner["fits"]["to_choose"] for learner in document["learners"].values()):
        lines.append("to choose: fits of alternatives, those that are kept included.")
    if "members" in document:
        lines.append("shared: fits that another member of the study does, counted there.")
    lines += ["FLOPs: of the fits left, if none of them stops early."] if bases - {None} or rate is None else []
    if "own" in bases:
        lines.append("after own: estimated from the time of finished fits of this learner.")
    if "others" in bases:
        lines.append(f"after others: estimated at {scaled(rate, page, 'FLOP/s')}, the rate of all fits in the store.")
    return lines


def saving_line(document: Mapping[str, Any], page: Page) -> str:
    """FLOPs of a whole study beside those of its members alone."""
    study, alone = document["flops"], document["flops_alone"]
    times = f"{alone / study:.1f} times as many"
    return (
        f"FLOPs of the whole study, done or not: {scaled(study, page)}; {scaled(alone, page)}, {times}, "
        "if each member ran alone and measured every cell"
    )


def estimate_line(document: Mapping[str, Any], page: Page) -> str:
    """The estimated time for the rest, in one sentence."""
    if sum(counts["all"] - counts["done"] for counts in document["jobs"].values()) == 0:
        return "all jobs are done; `run` would only print the report"
    workers = document["workers"]
    by = f"on {workers} {'process' if workers == 1 else 'processes'}"
    if document["seconds"] is None:
        return f"time {by}: {document['guess'] or 'unknown until the first fits are done'}"
    return f"time {by}: about {duration(document['seconds'], page)}, without the time to load libraries"
