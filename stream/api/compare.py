"""`compare`: the differences between two runs."""

from __future__ import annotations

from pathlib import Path

from stream.api.readers import bad
from stream.config.resolve import resolve_config
from stream.errors import checks_arguments
from stream.results.difference import Difference, Side, difference
from stream.results.results import load_results
from tasks.errors import InputError, InputErrors

# Settings that say where and how a run works, not what it computes. They are not compared.
PLACES = frozenset({"out", "store", "workers", "log", "plugins"})


@checks_arguments
def compare(a: str | Path, b: str | Path) -> Difference:
    """Find the differences between two runs: settings, inputs, learners, tasks, cells of R, metrics, cost.

        compare("runs/seed0", "runs/seed1").cells["adapter:64"].differ

    Args:
        a, b: Folders of the runs, finished or not.

    Returns:
        A `Difference`; its `as_dict()` is the document of `taskstream compare --display json`.

    Raises:
        InputError: A folder contains no run, or its files are damaged.
    """
    errors = [
        bad(name, value, "a path", where="compare()")
        for name, value in (("a", a), ("b", b))
        if not isinstance(value, str | Path)
    ]
    sides: list[Side] = []
    for folder in () if errors else (a, b):
        try:
            sides.append(read_side(Path(folder)))
        except InputError as error:
            errors += error.errors
    if errors:
        raise InputErrors(errors)
    return difference(*sides)


def read_side(folder: Path) -> Side:
    """Read one run, finished or not. Its folder needs results.json only; the ledger adds the hashes of the logits.

    Raises:
        InputError: The folder contains no run, or its files are damaged.
    """
    results = load_results(folder)
    settings = dict(results.settings)
    if (folder / "config.toml").is_file():
        config, _ = resolve_config({}, folder / "config.toml")
        settings = {name: value for name, value in config.model_dump().items() if name not in PLACES}
    if not (folder / "ledger.jsonl").is_file():
        return Side(str(folder), results, settings)
    from stream.storage.events import FitEvent, RowEvent
    from stream.verification.checks import whole_record  # takes seconds

    _, run = whole_record(folder, lenient=True)
    logits: dict[tuple[str, int, str], str] = {}
    deltas: dict[tuple[str, str], str] = {}
    for event in run.events.values():  # audits come last
        if isinstance(event, RowEvent):
            logits |= {(event.learner, event.arrival, cell.task): cell.logits for cell in event.cells}
        elif isinstance(event, FitEvent):
            deltas[event.learner, event.task] = event.delta
    return Side(str(folder), results, settings, logits, deltas)
