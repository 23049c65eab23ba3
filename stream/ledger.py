"""The ledger of a run: events as JSON lines, only ever appended, each with the hash of the line before."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.errors import InputError

START = "0" * 64  # "hash of the line before" of the first line


@dataclass
class Ledger:
    """An open ledger. `events` holds what was read, without the chain."""

    path: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    last: str = START

    def append(self, event: dict[str, Any]) -> None:
        """Add one event and see it to the disk."""
        line = json.dumps({**event, "previous": self.last}, ensure_ascii=False, allow_nan=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.events.append(event)
        self.last = hashlib.sha256(line.encode()).hexdigest()


def open_ledger(path: Path) -> Ledger:
    """Read a ledger, or begin one. A torn last line, the mark of a crash, is cut off.

    Raises:
        InputError: A line that is not JSON, or that does not follow the one before; names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(path)
    raw = path.read_bytes() if path.exists() else b""
    whole = raw[: raw.rfind(b"\n") + 1]
    if whole != raw:
        with path.open("rb+") as file:
            file.truncate(len(whole))
    for number, line in enumerate(whole.splitlines(), start=1):
        where = f"{path}, line {number}"
        try:
            event = json.loads(line)
        except ValueError as error:
            raise InputError("damaged ledger", where=where, found=str(error), fix=_FIX) from None
        if not isinstance(event, dict) or event.pop("previous", None) != ledger.last:
            raise InputError("the ledger was altered: this line does not follow the one before", where=where, fix=_FIX)
        ledger.events.append(event)
        ledger.last = hashlib.sha256(line).hexdigest()
    return ledger


_FIX = "start a new run with --out elsewhere and --store on this run's store: finished fits are reused"
