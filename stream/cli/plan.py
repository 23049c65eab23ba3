"""`taskstream plan`: what `run` would do with the same options. Nothing is computed, no run's folder touched."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from stream.cli.run import settings_of
from stream.config import RunConfig, check_same_run
from stream.errors import RunFailed
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.report.names import legend, short_names
from stream.report.numbers import duration, scaled
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.report.terminal.summary import rule

if TYPE_CHECKING:  # seconds to load
    from stream.engine.context import RunContext
    from stream.engine.preview import Preview

NAME_WIDTH = 14  # as in the league table
KINDS = {"before": "before", "fit": "fits", "evaluate": "rows", "audit": "audits"}


def plan(given: Mapping[str, Any], columns: Sequence[str], config: Path | None, display: str) -> int:
    """Print the plan; returns the exit code.

    Raises:
        InputError, InputErrors: What `run` would refuse, for the same reasons.
    """
    settings, _ = settings_of(given, columns, config)
    console = make_console(display)
    try:
        with console.status("loading libraries") as status:
            document = planned(settings, lambda text: status.update(Text(text)))
    except RunFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        print_plan(document, console)
    return 0


def planned(config: RunConfig, progress: Any) -> dict[str, Any]:
    """The plan as a document."""
    from stream.engine.context import prepare
    from stream.engine.engine import refusals_told
    from stream.engine.header import check_same_inputs
    from stream.engine.preview import preview
    from stream.storage.events import read_events
    from stream.storage.ledger import read_ledger

    notes: list[str] = []
    check_same_run(config.out_folder / "config.toml", config)
    with refusals_told():
        prepared = prepare(config, progress)
        progress("looking for what is done")
        events = read_events(read_ledger(config.out_folder / "ledger.jsonl"))
        check_same_inputs(events, prepared, notes.append)
        found = preview(prepared, events)
    return described(prepared, found, [*prepared.backbone.notes, *notes])


def described(prepared: RunContext, found: Preview, notes: Sequence[str]) -> dict[str, Any]:
    config, shares = prepared.config, found.shares
    jobs = {
        kind: {
            "all": sum(share.jobs[kind] for share in shares.values()),
            "done": sum(share.done[kind] for share in shares.values()),
            "in_store": sum(share.stored for share in shares.values()) if kind == "fit" else 0,
        }
        for kind in KINDS
    }
    return {
        "suite": prepared.suite,
        "source": prepared.source.name,
        "backbone": {"name": config.backbone, "id": prepared.backbone.id, "parameters": prepared.backbone.parameters},
        "order": list(prepared.stream.order),
        "seed": config.seed,
        "evaluate": config.evaluate,
        "out": str(config.out_folder),
        "store": str(config.store_folder),
        "workers": found.workers,
        "jobs": jobs,
        "cells": dict(sum((share.cells for share in shares.values()), Counter())),
        "cells_left": sum(share.left for share in shares.values()),
        "learners": {
            name: {
                "jobs": {kind: {"all": share.jobs[kind], "done": share.done[kind]} for kind in KINDS},
                "fits_in_store": share.stored,
                "fits_left": share.fits_left,
                "cells": dict(share.cells),
                "cells_left": share.left,
                "flops_left": share.flops,
                "fit_seconds": share.fit_seconds,
                "evaluate_seconds": share.evaluate_seconds,
                "basis": share.basis,
            }
            for name, share in shares.items()
        },
        "flops_per_second": found.rate,
        "seconds": found.seconds,
        "notes": list(notes),
    }


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
