"""Forged runs for tests: a ledger changed and chained anew, with the documents that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.storage.events import read_events
from stream.storage.files import readable_json
from stream.storage.learner_folder import learner_folder
from stream.storage.ledger import Ledger, read_ledger
from stream.verification.recorded import recorded_run

Change = Callable[[list[dict[str, Any]]], None]


def forge(folder: Path, change: Change, documents: bool = True) -> None:
    """Change the events of a run's ledger and leave no trace of it in any hash; `documents` makes those anew too."""
    path = folder / "ledger.jsonl"
    events = read_ledger(path).events
    change(events)
    path.unlink()
    ledger = Ledger(path)
    for event in events:
        ledger.append(event)
    if not documents:
        return
    run = recorded_run(read_events(ledger))
    assert run is not None
    document = results(run.facts, run.events) | {"ledger": {"lines": ledger.lines, "hash": ledger.last}}
    (folder / "results.json").write_text(readable_json(document) + "\n")
    for name in run.facts.learners:
        (learner_folder(folder, name) / "R.csv").write_text(to_csv(matrix_of(run.facts.order, name, run.events)))


def cells_of(events: list[dict[str, Any]], learner: str, task: str) -> list[dict[str, Any]]:
    """All cells of a learner on a task after its arrival, in order of arrival."""
    rows = [event for event in events if event["event"] in ("evaluate", "audit") and event["learner"] == learner]
    return [cell for row in rows for cell in row["cells"] if cell["task"] == task]


def event_of(events: list[dict[str, Any]], kind: str, learner: str, arrival: int) -> dict[str, Any]:
    found = [e for e in events if (e["event"], e.get("learner"), e.get("arrival")) == (kind, learner, arrival)]
    return found[-1]
