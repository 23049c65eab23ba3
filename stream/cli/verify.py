"""`taskstream verify DIR`: the proof of a run, checked; what was looked at, and the verdict."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.report import make_console
from stream.report.console import Page, page_of
from stream.verification.verdict import Finding, Verdict
from tasks.errors import InputError


def verify(folder: Path, rerun: str, seed: int, store: Path | None, display: str) -> int:
    """Check a run; returns the exit code."""
    cells = _cells(rerun)
    console = make_console(display)
    with console.status("loading libraries") as status:
        from stream.verification.checks import verify as check  # seconds

        verdict = check(
            folder, store=store, rerun=cells, seed=seed, progress=lambda text: status.update(Text(f"checking {text}"))
        )
    if display == "json":
        print(json.dumps(verdict.as_dict()))
    elif display != "none":
        print_verdict(verdict, console)
    return 0 if verdict.passed else 1


def print_verdict(verdict: Verdict, console: Console) -> None:
    """What was checked, with counts; notes; PASS in one sentence, or FAIL and the first difference."""
    page = page_of(console)
    checked = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    checked.add_column(style="bold", no_wrap=True)
    checked.add_column(overflow="fold")
    for name, words in _checked(verdict):
        checked.add_row(name, Text(page.text(words)))
    console.print(checked)
    for note in verdict.notes:
        console.print(Text(page.text(f"note: {note}"), style="yellow"))
    console.print()
    if verdict.passed:
        console.print(Text.assemble(("PASS", "bold green"), page.text(f"  {_passed(verdict)}")))
        return
    first, *others = verdict.findings
    console.print(Text.assemble(("FAIL", "bold red"), page.text(f"  {first.what}")))
    console.print(_details(first, page))
    if others:
        files = list(dict.fromkeys(Path(finding.file).name for finding in others))
        named = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
        console.print(page.text(f"and {len(others):,} more, in {named}; all of them: --display json"), markup=False)


def _checked(verdict: Verdict) -> list[tuple[str, str]]:
    """What was looked at, a line for each check."""
    of = {name: {key: f"{n:,}" for key, n in counts.items()} for name, counts in verdict.counts.items()}

    def n(check: str, key: str) -> str:
        return of.get(check, {}).get(key, "0")

    size = verdict.counts.get("store", {}).get("bytes", 0) / 1e6
    others = f"; {n('store', 'other_deltas')} of other runs" if n("store", "other_deltas") != "0" else ""
    cells = ", ".join(
        f"{n('cells', how)} {words}"
        for how, words in (
            ("before", "before training"),
            ("measured", "measured"),
            ("certified", "certified"),
            ("audited", "audited"),
        )
        if n("cells", how) != "0"
    )
    lines = {
        "chain": f"{n('chain', 'lines')} lines, each with its own hash and that of the line before",
        "settings": f"{n('settings', 'settings')}, each the same wherever it is written",
        "keys": f"{n('keys', 'events')} of {n('keys', 'jobs')} jobs, each event under the hash of its job's inputs",
        "store": f"{n('store', 'deltas')} Deltas ({n('store', 'tensors')} tensors, {size:,.1f} MB), "
        f"{n('store', 'records')} records of fits{others}",
        "cells": cells or "none yet",
        "documents": f"{n('documents', 'documents')} made anew from the events, byte for byte",
        "encoded": f"{n('encoded', 'tasks')} tasks, every byte",
        "backbone": f"{n('backbone', 'files')} files, every byte",
        "rerun": f"{n('rerun', 'cells')} cells evaluated again from the stored Deltas",
    }
    names = {"chain": "ledger", "encoded": "encoded data"}
    return [(names.get(name, name), words) for name, words in lines.items() if name in verdict.counts]


def _passed(verdict: Verdict) -> str:
    cells, store = verdict.counts.get("cells", {}), verdict.counts.get("store", {})
    total = sum(cells.get(how, 0) for how in ("measured", "certified", "audited"))
    words = (
        f"{_many(verdict.learners, 'learner')} on {_many(verdict.tasks, 'task')}: {_many(total, 'cell')} of R follow "
        f"from {_many(store.get('fits', 0), 'finished fit')} whose Deltas are intact"
    )
    if later := cells.get("again", 0):
        words += f"; {later:,} times isolated learners answered again, bit for bit as on the day of learning"
    if again := verdict.counts.get("rerun", {}).get("cells", 0):
        same = again - verdict.counts["rerun"].get("last_bits", 0)
        words += f"; of {again:,} evaluated again, {same:,} gave the very same logits"
    return f"{words}."


def _details(finding: Finding, page: Page) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in finding.as_dict().items():
        if name != "what" and value not in (None, ""):
            table.add_row(f"  {name}", Text(page.text(value)))
    return table


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _cells(text: str) -> int | None:
    if text == "all":
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    raise InputError("cannot read this", where="--rerun", expected="a number of cells, or all", found=repr(text))
