"""`taskstream verify FOLDER`: check the proof of a run, print what was checked and the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from learners.delta.delta import RESTORE
from stream.api.verify import verify as check
from stream.report import make_console
from stream.report.console import Page, page_of
from stream.storage.cell import Provenance
from stream.verification.study import StudyVerdict
from stream.verification.verdict import Finding, Verdict
from tasks.errors import InputError


def verify(folder: Path, rerun: str, seed: int, store: Path | None, plugins: Sequence[str], display: str) -> int:
    """Check a run and print the verdict.

    Returns:
        The exit code: 0 if the run passed, else 1.
    """
    cells = _cells(rerun)
    console = make_console(display)
    with console.status("loading libraries") as status:
        verdict = check(
            folder, rerun=cells, seed=seed, store=store, plugins=plugins,
            progress=lambda text: status.update(Text(f"checking {text}")),
        )  # fmt: skip
    if display == "json":
        print(json.dumps(verdict.as_dict()))
    elif display != "none":
        if isinstance(verdict, StudyVerdict):
            print_study_verdict(verdict, console)
        else:
            print_verdict(verdict, console)
    return 0 if verdict.passed else 1


def print_study_verdict(verdict: StudyVerdict, console: Console) -> None:
    """Print what was checked of each member of a study and its verdict, then the verdict on the whole."""
    page = page_of(console)
    for name, member in verdict.members.items():
        console.print(Text(page.text(f"member {name}"), style="bold cyan"))
        print_verdict(member, console)
        console.print()
    for finding in verdict.own:
        console.print(Text(page.text(f"difference: {finding.what}"), style="bold red"))
    for name in verdict.missing:
        console.print(Text(page.text(f"note: member {name} has not begun"), style="yellow"))
    failed = [name for name, member in verdict.members.items() if not member.passed]
    failed += ["study.json"] * bool(verdict.own)
    total = f"{_many(len(verdict.members), 'member')} and study.json"
    if failed:
        console.print(Text.assemble(("FAIL", "bold red"), page.text(f"  {', '.join(failed)}, of {total}")))
    else:
        console.print(Text.assemble(("PASS", "bold green"), page.text(f"  {total}")))


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Print what was checked, with counts; then the notes; then PASS, or FAIL with the first difference."""
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
    if first.file.endswith(".safetensors"):
        console.print(page.text(f"what to do: {RESTORE}"), markup=False)
    if others:
        files = list(dict.fromkeys(Path(finding.file).name for finding in others))
        named = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
        console.print(page.text(f"and {len(others):,} more, in {named}; all of them: --display json"), markup=False)


def _checked(verdict: Verdict) -> list[tuple[str, str]]:
    """Name and description of each check that was done."""
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
            ("partly-measured", "partly measured (frozen layers from the run's cache)"),
            ("certified", "certified"),
            ("audited", "audited"),
        )
        if n("cells", how) != "0"
    )
    lines = {
        "chain": f"{n('chain', 'lines')} lines, each with its own hash and the hash of the line before",
        "settings": f"{n('settings', 'settings')}, each the same in all files",
        "keys": f"{n('keys', 'events')} of {n('keys', 'jobs')} jobs, each with the hash of its job's inputs",
        "store": f"{n('store', 'deltas')} Deltas ({n('store', 'tensors')} tensors, {size:,.1f} MB), "
        f"{n('store', 'records')} records of fits{others}",
        "selection": f"{n('selection', 'choices')} choices, each the best of its trials on the validation rows "
        f"({n('selection', 'trials')}), and made before any test row was scored",
        "cells": cells or "none yet",
        "scores": f"{n('scores', 'scores')} in the store, intact; "
        f"{n('scores', 'certified_by_store')} certified cells equal to these",
        "documents": f"{n('documents', 'documents')} equal to what the events give, byte for byte",
        "encoded": f"{n('encoded', 'tasks')} tasks, every byte",
        "backbone": f"{n('backbone', 'files')} files, every byte",
        "rerun": f"{n('rerun', 'cells')} cells evaluated again from the stored Deltas, and "
        f"{n('rerun', 'validation_scores')} validation scores computed again",
    }
    names = {"chain": "ledger", "encoded": "encoded data"}
    return [(names.get(name, name), words) for name, words in lines.items() if name in verdict.counts]


def _passed(verdict: Verdict) -> str:
    cells, store = verdict.counts.get("cells", {}), verdict.counts.get("store", {})
    total = sum(cells.get(how, 0) for how in get_args(Provenance))
    words = (
        f"{_many(verdict.learners, 'learner')} on {_many(verdict.tasks, 'task')}: {_many(total, 'cell')} of R "
        f"{'follows' if total == 1 else 'follow'} "
        f"from {_many(store.get('fits', 0), 'finished fit')} whose Deltas are intact"
    )
    if later := cells.get("again", 0):
        words += f"; {_many(later, 'later evaluation')} of isolated learners gave the same logits bit for bit"
    if again := verdict.counts.get("rerun", {}).get("cells", 0):
        same = again - verdict.counts["rerun"].get("last_bits", 0)
        words += f"; of {_many(again, 'cell')} evaluated again, {same:,} gave the same logits bit for bit"
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


def _cells(text: str) -> int | Literal["all"]:
    if text == "all":
        return "all"
    if text.isascii() and text.isdecimal():
        return int(text)
    raise InputError("bad value of --rerun", expected="a number of cells, or all", found=repr(text))
