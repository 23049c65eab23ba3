"""The ledger of a run: events as JSON lines, only ever appended, each with its own hash and that of the line before."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from tasks.errors import InputError

SCHEMA = 2
START = "0" * 64  # "hash of the line before" of the first line
AFRESH = "start a new run with --out elsewhere and --store on this run's store: finished fits are reused"
TAIL = len(', "hash": "') + 64 + len('"}')


@dataclass
class Ledger:
    """An open ledger.

    Attributes:
        events: What was read, without the chain and without the first line, which tells the schema.
        last: Hash of the last line.
        lines: Number of lines.
        torn: Bytes of an unfinished last line, the mark of a crash, that were left out.
    """

    path: Path
    events: list[dict[str, JsonValue]] = field(default_factory=list)
    last: str = START
    lines: int = 0
    torn: int = 0

    def append(self, event: dict[str, JsonValue]) -> None:
        """Add one event and see it to the disk."""
        if self.lines == 0:
            self._write({"event": "ledger", "schema": SCHEMA})
        self._write(event)
        self.events.append(event)

    def _write(self, event: dict[str, JsonValue]) -> None:
        body = json.dumps({**event, "previous": self.last}, ensure_ascii=False, allow_nan=False)
        own = hashlib.sha256(body.encode()).hexdigest()
        whole = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f'{body[:-1]}, "hash": "{own}"}}\n')
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            _cut(self.path, whole)  # a disk that is full takes half a line; what follows must not be glued to it
            raise
        self.last = own
        self.lines += 1


def read_ledger(path: Path) -> Ledger:
    """Read a ledger and check its chain; an unfinished last line is left out and counted.

    Raises:
        InputError: A line that is not what was written, does not follow the one before, or is of another schema.
    """
    ledger = Ledger(path)
    raw = path.read_bytes() if path.exists() else b""
    whole = raw[: raw.rfind(b"\n") + 1]
    ledger.torn = len(raw) - len(whole)
    for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
        where = f"{path}, line {number}"
        event = _event(line, where)
        if event.pop("previous", None) != ledger.last:
            raise InputError(
                "the ledger was altered: this line does not follow the one before", where=where, fix=AFRESH
            )
        ledger.last = str(event.pop("hash"))
        ledger.lines = number
        if number > 1:
            ledger.events.append(event)
        elif event.get("event") != "ledger" or event.get("schema") != SCHEMA:
            found = f"schema {event['schema']}" if "schema" in event else "none"
            raise InputError(
                "ledger of another version", where=where, expected=f"schema {SCHEMA}", found=found, fix=AFRESH
            )
    return ledger


def open_ledger(path: Path) -> Ledger:
    """Read a ledger to go on with it, or begin one: an unfinished last line is cut off.

    Raises:
        InputError: As `read_ledger`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger = read_ledger(path)
    if ledger.torn:
        _cut(path, path.stat().st_size - ledger.torn)
    return ledger


def _event(line: bytes, where: str) -> dict[str, JsonValue]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("damaged ledger", where=where, found=str(error)[:200], fix=AFRESH) from None
    if not isinstance(event, dict) or line[-TAIL:] != f', "hash": "{event.get("hash")}"}}'.encode():
        raise InputError("the ledger was altered: this line does not end in its hash", where=where, fix=AFRESH)
    if hashlib.sha256(line[:-TAIL] + b"}").hexdigest() != event["hash"]:
        raise InputError("the ledger was altered: this line is not the one its hash is of", where=where, fix=AFRESH)
    return event


def _cut(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size > size:
        with path.open("rb+") as file:
            file.truncate(size)
            os.fsync(file.fileno())
