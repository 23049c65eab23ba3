"""Reads the files of a run: the ledger (and checks its hashes), the settings, the documents."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.engine.header import config_digest
from stream.storage.events import Event, Header, event_of
from stream.storage.ledger import Ledger, read_ledger
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

HASH = slice(-len('"}') - 64, -len('"}'))  # the part of a ledger line that is its own hash


@dataclass(frozen=True, eq=False)
class RunFiles:
    """The files of a run's folder, read once. Documents are read first, so that in a running run the ledger is newer.

    Attributes:
        folder: Path of the folder.
        config: The settings; None if they cannot be read.
        config_sha256: SHA-256 of config.toml; None if there is none.
        results: Text of results.json; None if there is none.
        matrices: Text of each R.csv, by name of its folder. `stream.storage.learner_folder` gives a learner's folder.
        ledger: The ledger.
        upto: Number of ledger lines from which results.json was made; None if there is no results.json, or if it was
            not made from this ledger.
    """

    folder: Path
    config: RunConfig | None
    config_sha256: str | None
    results: str | None
    matrices: dict[str, str]
    ledger: Ledger
    upto: int | None

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events of the ledger.

        Raises:
            stream.storage.plain.FormatError: The ledger has an event that a run does not write.
        """
        return tuple(event_of(entry) for entry in self.ledger.events)

    def path(self, *parts: str) -> str:
        """Returns the path of a file in the folder."""
        return str(self.folder.joinpath(*parts))


def read_run_files(folder: Path) -> tuple[RunFiles | None, Outcome]:
    """Reads the folder of a run.

    Returns:
        The files and the outcome. The files are None if the ledger is missing or damaged: nothing else can be checked.

    Raises:
        InputError: There is no run in the folder, or another version wrote it.
    """
    outcome = Outcome()
    if not any((folder / name).is_file() for name in ("ledger.jsonl", "results.json")):
        expected = "ledger.jsonl"
        raise InputError("no run here", where=str(folder), expected=expected, fix="taskstream list runs")
    results = _text(folder / "results.json", outcome)
    matrices = {path.parent.name: _text(path, outcome) or "" for path in sorted(folder.glob("*/R.csv"))}
    unread = Outcome()
    config = _config(folder / "config.toml", unread)
    digest = config_digest(folder)
    path = folder / "ledger.jsonl"
    try:
        ledger = read_ledger(path)
        hashes = [line[HASH].decode() for line in path.read_bytes().split(b"\n")[: ledger.lines]]
    except FileNotFoundError:
        ledger, hashes = Ledger(path), []
    except InputError as error:
        if error.expected.startswith("schema"):
            raise  # an intact ledger of another version
        finding = Finding(error.what, error.where, expected=error.expected, found=error.found)
        return None, Outcome([finding], outcome.counts)
    if not ledger.lines and results is None and not matrices and not any((folder / "store").glob("deltas/*")):
        return None, Outcome(notes=["the run ended before its first event: there is nothing to check yet"])
    if not ledger.lines:
        outcome.findings.insert(0, Finding("the ledger is missing", str(path), expected="events", found="nothing"))
        return None, outcome
    if digest is None and all(entry["event"] == Header.kind for entry in ledger.events):
        outcome.notes.append("the run ended before it wrote its settings")
    else:
        outcome.findings += unread.findings
    outcome.counts["lines"] = ledger.lines
    if ledger.torn:
        outcome.notes.append(f"the ledger ends with {ledger.torn} bytes of an unfinished line, which a crash left")
    upto = _lines_used(ledger, hashes, results, folder / "results.json", outcome)
    return RunFiles(folder, config, digest, results, matrices, ledger, upto), outcome


def _lines_used(ledger: Ledger, hashes: list[str], text: str | None, path: Path, outcome: Outcome) -> int | None:
    """Returns the number of ledger lines from which results.json was made; None if it was not made from this ledger.

    Args:
        hashes: Hash of each line of the ledger.
        text: Text of results.json; None if there is none.
        path: Path of results.json.
    """
    if text is None:
        if ledger.events and ledger.events[-1]["event"] == "end":
            outcome.findings.append(Finding("the run ended, but its results are missing", str(path)))
        return None
    try:
        entry = json.loads(text)["ledger"]
        lines, last = int(entry["lines"]), str(entry["hash"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"[:200]
        what = "the results do not name the ledger line from which they were made"
        outcome.findings.append(Finding(what, str(path), found=found))
        return None
    if 0 < lines <= len(hashes) and hashes[lines - 1] == last:
        return lines
    expected = f"line {lines} with hash {last}"
    if last not in hashes and (ledger.torn or lines > len(hashes)):
        found = f"{len(hashes)} complete lines, the last with hash {ledger.last}"
        what = "the ledger was cut: the results were made from more lines than it has"
        outcome.findings.append(Finding(what, str(ledger.path), expected=expected, found=found))
    else:
        found = f"hash {hashes[lines - 1]}" if 0 < lines <= len(hashes) else f"{len(hashes)} lines"
        what = "the results were made from another ledger than the one in this folder"
        outcome.findings.append(Finding(what, str(path), expected=found, found=expected))
    return None


def _text(path: Path, outcome: Outcome) -> str | None:
    try:
        return path.read_bytes().decode()  # `read_text` would change line ends
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        outcome.findings.append(Finding("this file is not UTF-8 text", str(path), found=str(error)))
        return None


def _config(path: Path, outcome: Outcome) -> RunConfig | None:
    try:
        config, _ = resolve_config({}, path)
        return config
    except InputError as error:
        finding = Finding(f"the settings cannot be read: {error.what}", str(path), found=error.found)
        outcome.findings.append(finding)
        return None
