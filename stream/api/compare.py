"""`compare`: what differs between two runs."""

from __future__ import annotations

from pathlib import Path

from stream.api.readers import bad
from stream.config.resolve import resolve_config
from stream.results.difference import Difference, Side, difference
from stream.results.results import load_results
from tasks.errors import InputErrors

# Settings that say where and how a run is done, not what.
PLACES = frozenset({"out", "store", "workers", "log", "plugins"})


def compare(a: str | Path, b: str | Path) -> Difference:
    """Tell what differs between two runs: settings, inputs, learners, tasks, cells of R, metrics, cost.

        compare("runs/seed0", "runs/seed1").cells["adapter:64"].differ

    Args:
        a, b: Folders of the runs, finished or not.

    Returns:
        A `Difference`; its `as_dict()` is the document of `taskstream compare --display json`.

    Raises:
        InputError: No run in one of the folders, or files that are damaged.
    """
    errors = [
        bad(name, value, "a path", where="compare()")
        for name, value in (("a", a), ("b", b))
        if not isinstance(value, str | Path)
    ]
    if errors:
        raise InputErrors(errors)
    return difference(read_side(Path(a)), read_side(Path(b)))


def read_side(folder: Path) -> Side:
    """A run, finished or not, of which there is results.json at least."""
    results = load_results(folder)
    settings = dict(results.settings)
    if (folder / "config.toml").is_file():
        config, _ = resolve_config({}, folder / "config.toml")
        settings = {name: value for name, value in config.model_dump().items() if name not in PLACES}
    if not (folder / "ledger.jsonl").is_file():
        return Side(str(folder), results, settings)
    from stream.storage.events import FitEvent, RowEvent
    from stream.verification.checks import whole_record  # seconds

    _, run = whole_record(folder, lenient=True)
    logits: dict[tuple[str, int, str], str] = {}
    deltas: dict[tuple[str, str], str] = {}
    for event in run.events.values():  # audits come last
        if isinstance(event, RowEvent):
            logits |= {(event.learner, event.arrival, cell.task): cell.logits for cell in event.cells}
        elif isinstance(event, FitEvent):
            deltas[event.learner, event.task] = event.delta
    return Side(str(folder), results, settings, logits, deltas)
