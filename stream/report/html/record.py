"""Reads from the folder of a run what results.json does not have: its command, and the hashes of cells."""

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
from stream.verification.recorded import recorded_run
from tasks.errors import InputError

ALWAYS = ("suite", "source", "backbone", "learners", "out")  # the shown command always has these options
MANY = 60  # tasks; with more, a cell of a heat map is the mean of several cells and has no hash


class Evidence(NamedTuple):
    """The evidence for a cell of R.

    Attributes:
        score: The score in the ledger, a fraction; None if logits were not finite.
        n: Number of test examples.
        logits, delta: SHA-256 of all logits, and the content id of the Delta that gave them.
    """

    score: float | None
    n: int
    logits: str
    delta: str


@dataclass(frozen=True)
class Record:
    """What the page shows beside the results.

    Attributes:
        command: The command of the run, one option per line; empty if config.toml is missing.
        verify: The command that checks the run.
        digest: SHA-256 of results.json.
        cells: The evidence for each cell, by learner, arrival (0: before training) and task.
        notice: Why there are no hashes; empty if there are.
    """

    command: str = ""
    verify: str = ""
    digest: str = ""
    cells: Mapping[tuple[str, int, str], Evidence] = field(default_factory=dict)
    notice: str = ""


def read_record(folder: Path, results: Results) -> Record:
    """Reads the record of the run in `folder`. A missing or damaged ledger is not an error: `notice` reports it."""
    cells: dict[tuple[str, int, str], Evidence] = {}
    notice = ""
    if len(results.order) <= MANY:
        try:
            cells = read_cells(folder / "ledger.jsonl")
            notice = "" if cells else "The folder has no ledger, so cells have no hashes."
        except (InputError, OSError, LookupError, TypeError, ValueError) as error:
            notice = f"The ledger cannot be read, so cells have no hashes: {error}"
    return Record(
        command=command_of(folder / "config.toml"),
        verify=shlex.join(["taskstream", "verify", str(folder)]),
        digest=hashlib.sha256((folder / "results.json").read_bytes()).hexdigest(),
        cells=cells,
        notice=notice,
    )


def read_cells(path: Path) -> dict[tuple[str, int, str], Evidence]:
    """Returns the evidence for each evaluated cell, from the events that count. If the final audit evaluated a cell
    again, its evidence counts."""
    run = recorded_run(read_events(read_ledger(path)), str(path), lenient=True)
    events = [] if run is None else [event for job in run.jobs if (event := run.events.get(job.id)) is not None]
    return {
        (event.learner, event.arrival, cell.task): Evidence(cell.score, cell.n, cell.logits, cell.delta)
        for event in events
        if isinstance(event, RowEvent)
        for cell in event.cells
    }


def command_of(path: Path) -> str:
    """Returns the command with the settings in the file at `path`, without options that have their default value."""
    if not path.exists():
        return ""
    try:
        config, _ = resolve_config({}, path)
    except InputError:
        return ""
    settings, defaults = config.model_dump(exclude={"columns", "plugins"}), resolve_config({})[0].model_dump()
    options = {key: value for key, value in settings.items() if key in ALWAYS or value != defaults[key]}
    lines = [f"--{key.replace('_', '-')} {shlex.quote(str(value))}" for key, value in options.items()]
    lines += [f"--plugin {shlex.quote(file)}" for file in config.plugins]
    lines += [f"--column {shlex.quote(f'{ours}={theirs}')}" for ours, theirs in config.columns.items()]
    return " \\\n    ".join(["taskstream run", *lines])
