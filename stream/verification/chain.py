"""The files of a run as they lie there: the chain of the ledger, the settings, the documents and what they rest on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.storage.events import Event, event_of
from stream.storage.ledger import Ledger, read_ledger
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

HASH = slice(-len('"}') - 64, -len('"}'))  # of a line, where its own hash stands


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What a run's folder holds, read once, documents first: of a run under way the ledger is then the newest.

    Attributes:
        config: None where it cannot be read.
        results: The text of results.json; None where there is none.
        matrices: The text of each learner's R.csv, by the name of its folder.
        upto: Lines of the ledger that results.json rests on; None where it rests on none of them.
    """

    folder: Path
    config: RunConfig | None
    results: str | None
    matrices: dict[str, str]
    ledger: Ledger
    upto: int | None

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events of the ledger.

        Raises:
            stream.storage.plain.NotOurs: One is not what a run writes.
        """
        return tuple(event_of(entry) for entry in self.ledger.events)

    def path(self, *parts: str) -> str:
        return str(self.folder.joinpath(*parts))


def read_run_files(folder: Path) -> tuple[RunFiles | None, Outcome]:
    """Read a run's folder; None where its ledger cannot be trusted, so that nothing else can be checked.

    Raises:
        InputError: There is no run, or one of another version.
    """
    outcome = Outcome()
    if not any((folder / name).is_file() for name in ("ledger.jsonl", "results.json")):
        expected = "ledger.jsonl"
        raise InputError("no run here", where=str(folder), expected=expected, fix="taskstream list runs")
    results = _text(folder / "results.json", outcome)
    matrices = {path.parent.name: _text(path, outcome) or "" for path in sorted(folder.glob("*/R.csv"))}
    config = _config(folder / "config.toml", outcome)
    path = folder / "ledger.jsonl"
    try:
        ledger = read_ledger(path)
        hashes = [line[HASH].decode() for line in path.read_bytes().split(b"\n")[: ledger.lines]]
    except FileNotFoundError:
        ledger, hashes = Ledger(path), []
    except InputError as error:
        if error.expected.startswith("schema"):
            raise  # a whole ledger, but not one that this version can judge
        finding = Finding(error.what, error.where, expected=error.expected, found=error.found)
        return None, Outcome([finding], outcome.counts)
    if not ledger.lines and results is None and not matrices and not any((folder / "store").glob("deltas/*")):
        return None, Outcome(notes=["the run ended before its first event: there is nothing to check yet"])
    if not ledger.lines:
        outcome.findings.insert(0, Finding("the ledger is gone", str(path), expected="events", found="nothing"))
        return None, outcome
    outcome.counts["lines"] = ledger.lines
    if ledger.torn:
        outcome.notes.append(f"the ledger ends in {ledger.torn} bytes of a line never finished: the mark of a crash")
    upto = _rests_on(ledger, hashes, results, folder / "results.json", outcome)
    return RunFiles(folder, config, results, matrices, ledger, upto), outcome


def _rests_on(ledger: Ledger, hashes: list[str], text: str | None, path: Path, outcome: Outcome) -> int | None:
    if text is None:
        if ledger.events and ledger.events[-1]["event"] == "end":
            outcome.findings.append(Finding("the run ended, and its results are gone", str(path)))
        return None
    try:
        said = json.loads(text)["ledger"]
        lines, last = int(said["lines"]), str(said["hash"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"[:200]
        outcome.findings.append(Finding("the results do not say which ledger they rest on", str(path), found=found))
        return None
    if 0 < lines <= len(hashes) and hashes[lines - 1] == last:
        return lines
    expected = f"line {lines} with hash {last}"
    if last not in hashes and (ledger.torn or lines > len(hashes)):
        found = f"{len(hashes)} whole lines, the last with hash {ledger.last}"
        what = "the ledger was cut: the results rest on more of it than is there"
        outcome.findings.append(Finding(what, str(ledger.path), expected=expected, found=found))
    else:
        found = f"hash {hashes[lines - 1]}" if 0 < lines <= len(hashes) else f"{len(hashes)} lines"
        what = "the results rest on another ledger than the one beside them"
        outcome.findings.append(Finding(what, str(path), expected=found, found=expected))
    return None


def _text(path: Path, outcome: Outcome) -> str | None:
    try:
        return path.read_bytes().decode()  # no change of line ends
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        outcome.findings.append(Finding("no UTF-8 text", str(path), found=str(error)))
        return None


def _config(path: Path, outcome: Outcome) -> RunConfig | None:
    try:
        config, _ = resolve_config({}, path)
        return config
    except InputError as error:
        finding = Finding(f"the settings cannot be read: {error.what}", str(path), found=error.found)
        outcome.findings.append(finding)
        return None
