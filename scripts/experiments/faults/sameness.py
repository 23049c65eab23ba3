"""Compare two runs bit for bit. Seconds, memory, and whether a fit came from the store may differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.storage.learner_folder import learner_folder
from stream.storage.ledger import read_ledger

OWN = ("seconds", "memory", "cached")  # parts of names that describe one call, not the computed values


def lasting(value: Any) -> Any:
    """A value of a ledger or of results without the entries that differ from call to call.

    Whether a cell was measured whole or in part depends on what its process had in its cache: after a crash that is
    less. Its logits do not depend on it.
    """
    if isinstance(value, Mapping):
        kept = {key: lasting(entry) for key, entry in value.items() if _lasts(key)}
        if "cells_measured" in kept:
            kept["cells_measured"] += kept.pop("cells_partly_measured", 0)
        return kept
    if value == "partly-measured":
        return "measured"
    return [lasting(entry) for entry in value] if isinstance(value, list | tuple) else value


def state_of(folder: Path) -> dict[str, Any]:
    """Newest event of each job in the ledger of a run, by the job's key. It contains Delta ids and logits.

    Raises:
        InputError: The ledger is damaged.
    """
    events = (event for event in read_ledger(folder / "ledger.jsonl").events if "key" in event)
    return {event["key"]: lasting(event) for event in events}


def document_of(folder: Path) -> dict[str, Any]:
    """results.json without the end of the ledger and the environment."""
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {name: lasting(entry) for name, entry in found.items() if name not in ("ledger", "environment")}


def difference(found: Any, expected: Any, where: str = "") -> str | None:
    """First place where two JSON values differ, and how; None if they are equal."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys((*expected, *found)):
            if key not in found or key not in expected:
                return f"{where}/{key}: only {'expected' if key in expected else 'found'}"
            if (deeper := difference(found[key], expected[key], f"{where}/{key}")) is not None:
                return deeper
        return None
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return next((first for i, (a, b) in pairs if (first := difference(a, b, f"{where}/{i}")) is not None), None)
    return None if repr(found) == repr(expected) else f"{where}: expected {expected!r:.80}, found {found!r:.80}"


def changed(folder: Path, reference: Path) -> str | None:
    """First difference between two finished runs: in results, then every R.csv, then the ledgers; None if none.

    Raises:
        OSError, ValueError, InputError: A run cannot be read.
    """
    expected = document_of(reference)
    first = difference(document_of(folder), expected, "results.json")
    for name in expected["learners"]:
        tables = (learner_folder(place, name) / "R.csv" for place in (folder, reference))
        found, wanted = (table.read_text(encoding="utf-8") for table in tables)
        first = first or difference(found, wanted, f"{name}/R.csv")
    held, due = state_of(folder), state_of(reference)
    # The ledger may have more events: jobs of earlier settings of the run.
    return first or difference({key: held[key] for key in due if key in held}, due, "ledger.jsonl")


def fitted_twice(folder: Path) -> list[str]:
    """Recipes that were fitted more than once, according to the ledger."""
    done = [
        e["recipe"]
        for e in read_ledger(folder / "ledger.jsonl").events
        if e["event"] == "fit" and e.get("cached") is False
    ]
    return sorted({recipe for recipe in done if done.count(recipe) > 1})


def _lasts(name: str) -> bool:
    return not any(word in name for word in OWN)
