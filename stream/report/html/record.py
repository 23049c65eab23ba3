"""What the folder of a run tells beside its results: its command, and the hashes of every cell from its ledger."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from stream.config.resolve import resolve_config
from stream.results.results import Results
from stream.storage.events import RowEvent, read_events
from stream.storage.ledger import read_ledger
from tasks.errors import InputError

ALWAYS = ("suite", "source", "backbone", "learners", "out")  # options that the command shows even with their default
MANY = 60  # tasks; with more, a cell of a heat map is the mean of several cells and has no hash


class Evidence(NamedTuple):
    """The evidence for a cell of R.

    Attributes:
        score: From the ledger; None where it is not a number.
        n: Test examples.
        logits, delta: SHA-256 of all logits, and the content id of the Delta that gave them.
    """

    score: float | None
    n: int
    logits: str
    delta: str


@dataclass(frozen=True)
class Record:
    """Attributes:
    command: That made the run, one option per line; empty if its settings are gone.
    verify: The command that checks the run.
    digest: SHA-256 of results.json.
    cells: By learner, arrival (0: before training) and task.
    notice: Why there are no hashes, where there are none.
    """

    command: str = ""
    verify: str = ""
    digest: str = ""
    cells: Mapping[tuple[str, int, str], Evidence] = field(default_factory=dict)
    notice: str = ""


def read_record(folder: Path, results: Results) -> Record:
    """The record of the run in `folder`. A missing or damaged file is not an error; `notice` says what is not known."""
    cells: dict[tuple[str, int, str], Evidence] = {}
    notice = ""
    if len(results.order) <= MANY:
        try:
            cells = read_cells(folder / "ledger.jsonl")
            notice = "" if cells else "The ledger is not beside the results, so cells have no hashes."
        except (InputError, OSError, KeyError, TypeError) as error:
            notice = f"The ledger cannot be read, so cells have no hashes: {error}"
    return Record(
        command=command_of(folder / "config.toml"),
        verify=shlex.join(["taskstream", "verify", str(folder)]),
        digest=hashlib.sha256((folder / "results.json").read_bytes()).hexdigest(),
        cells=cells,
        notice=notice,
    )


def read_cells(path: Path) -> dict[tuple[str, int, str], Evidence]:
    """Every evaluated cell. Where a cell was evaluated several times, the last evaluation counts."""
    return {
        (event.learner, event.arrival, cell.task): Evidence(cell.score, cell.n, cell.logits, cell.delta)
        for event in read_events(read_ledger(path))
        if isinstance(event, RowEvent)
        for cell in event.cells
    }


def command_of(path: Path) -> str:
    """The command that gives these settings; options with their default value are left out."""
    if not path.exists():
        return ""
    try:
        config, _ = resolve_config({}, path)
    except InputError:
        return ""
    settings, defaults = config.model_dump(exclude={"columns"}), resolve_config({})[0].model_dump()
    options = {key: value for key, value in settings.items() if key in ALWAYS or value != defaults[key]}
    lines = [f"--{key.replace('_', '-')} {shlex.quote(str(value))}" for key, value in options.items()]
    lines += [f"--column {shlex.quote(f'{ours}={theirs}')}" for ours, theirs in config.columns.items()]
    return " \\\n    ".join(["taskstream run", *lines])
