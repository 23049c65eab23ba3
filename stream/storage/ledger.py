"""The ledger of a run: a file of events as JSON lines. Lines are only appended; each line contains the hash of the
previous line and its own hash."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from tasks.errors import InputError

SCHEMA = 2
START = "0" * 64  # the first line has no previous line; it contains this instead of a hash
NEW_RUN = "start a new run: give another --out, and this run's store as --store; finished fits are reused"
HASH_ENTRY = len(', "hash": "') + 64 + len('"}')  # bytes at the end of each line


@dataclass
class Ledger:
    """An open ledger.

    Attributes:
        path: Path of the file.
        events: The events in the file, without their hashes and without the first line, which gives the schema.
        last: Hash of the last line.
        lines: Number of lines.
        torn: Number of bytes of an unfinished last line. Reading skips it. It is not 0 after a crash.
    """

    path: Path
    events: list[dict[str, JsonValue]] = field(default_factory=list)
    last: str = START
    lines: int = 0
    torn: int = 0

    def append(self, event: dict[str, JsonValue]) -> None:
        """Appends one event and waits until it is on the disk.

        Raises:
            OSError: The disk is full or cannot be written. The file is then as before.
        """
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
            _cut(self.path, whole)  # a full disk may store half a line; the next line must not be appended to it
            raise
        self.last = own
        self.lines += 1


def read_ledger(path: Path) -> Ledger:
    """Reads a ledger and checks its hashes. It skips an unfinished last line and counts its bytes.

    Raises:
        InputError: A line was altered, does not follow the previous line, or has another schema.
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
                "the ledger was altered: this line does not contain the hash of the previous line",
                where=where,
                fix=NEW_RUN,
            )
        ledger.last = str(event.pop("hash"))
        ledger.lines = number
        if number > 1:
            ledger.events.append(event)
        elif event.get("event") != "ledger" or event.get("schema") != SCHEMA:
            found = f"schema {event['schema']}" if "schema" in event else "none"
            raise InputError(
                "ledger of another version", where=where, expected=f"schema {SCHEMA}", found=found, fix=NEW_RUN
            )
    return ledger


def first_event(path: Path) -> dict[str, JsonValue] | None:
    """Returns the first event of a ledger, as `Ledger.events` has it, without reading the rest; None if there is none.

    Raises:
        InputError: Its line was altered.
        OSError: There is no ledger, or it cannot be read.
    """
    with path.open("rb") as file:
        file.readline()  # the schema
        line = file.readline()
    if not line.endswith(b"\n"):
        return None
    event = _event(line[:-1], f"{path}, line 2")
    return {name: value for name, value in event.items() if name not in ("previous", "hash")}


def open_ledger(path: Path) -> Ledger:
    """Opens a ledger to append to it; removes an unfinished last line. Makes its folder if there is none.

    Raises:
        InputError: As for `read_ledger`.
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
        raise InputError("damaged ledger", where=where, found=str(error)[:200], fix=NEW_RUN) from None
    if not isinstance(event, dict) or line[-HASH_ENTRY:] != f', "hash": "{event.get("hash")}"}}'.encode():
        raise InputError("the ledger was altered: this line does not end with its hash", where=where, fix=NEW_RUN)
    if hashlib.sha256(line[:-HASH_ENTRY] + b"}").hexdigest() != event["hash"]:
        raise InputError("the ledger was altered: the hash of this line is not that of its content", where=where,
                         fix=NEW_RUN)  # fmt: skip
    return event


def _cut(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size > size:
        with path.open("rb+") as file:
            file.truncate(size)
            os.fsync(file.fileno())
