"""Checks the store: the content of every file matches its name and the events of the run's fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from learners.delta.delta import is_head
from learners.delta.layout import common
from learners.delta.stored import StoredDelta, stored_delta
from learners.specification.alternatives import task_learner
from learners.specification.learner import Learner
from stream.storage.events import FitEvent
from stream.storage.plain import plain
from stream.storage.store import Record, Store, read_record, record_text, written_recipe_id
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

# These entries may differ between ledger and store: another run may have fitted a lost Delta again.
NOT_REPEATABLE = frozenset({"seconds", "peak_memory_bytes"})


def check_store(
    store: Store, run: RecordedRun, progress: Callable[[str], None]
) -> tuple[dict[str, StoredDelta], Outcome]:
    """Reads every file of the store, also those of other runs.

    Returns:
        The intact Deltas by content id, and the outcome.
    """
    outcome = Outcome()
    fits = [fit for job in run.jobs if isinstance(fit := run.events.get(job.id), FitEvent)]
    named: dict[str, FitEvent] = {}
    for fit in fits:
        named.setdefault(fit.delta, fit)
    deltas: dict[str, StoredDelta] = {}
    paths = sorted((store.root / "deltas").glob("*.safetensors"))
    for number, path in enumerate(paths, start=1):
        progress(f"Delta {number} of {len(paths)}")
        outcome.counts["deltas"] += 1
        outcome.counts["bytes"] += path.stat().st_size
        stored = _read(path, named.get(path.stem), outcome)
        if stored is not None:
            deltas[path.stem] = stored
            outcome.counts["tensors"] += len(stored.digests)
    damaged = {finding.file for finding in outcome.findings}
    trained: set[str] = set()  # learners with an earlier fit
    for fit in fits:
        path = store.delta_path(fit.delta)
        if fit.delta in deltas:
            learner = task_learner(run.facts.learners[fit.learner], fit.chosen)
            outcome.findings += _compare(fit, deltas[fit.delta], path, learner, fit.learner in trained)
        elif str(path) not in damaged:
            outcome.findings.append(_finding_for(fit, path)("the Delta of this fit is missing", expected=fit.delta))
        trained.add(fit.learner)
    outcome.counts["fits"] = len(fits)
    outcome.counts["other_deltas"] = sum(path.stem not in named for path in paths)
    _check_records(store, fits, outcome)
    return deltas, outcome


def _finding_for(fit: FitEvent | None, path: Path) -> Callable[..., Finding]:
    """Returns a function that makes findings about a file and the fit that wrote it (None: a fit of another run)."""
    if fit is None:
        return partial(Finding, file=str(path))
    return partial(Finding, file=str(path), learner=fit.learner, task=fit.task, arrival=fit.arrival)


def _read(path: Path, fit: FitEvent | None, outcome: Outcome) -> StoredDelta | None:
    finding = _finding_for(fit, path)
    try:
        delta = stored_delta(path)
        if delta.id != path.stem:
            recorded = {} if fit is None else fit.digests
            tensor = next((n for n, digest in recorded.items() if delta.digests.get(n) != digest), None)
            hashes = (
                (recorded[tensor], delta.digests.get(tensor, "no such tensor")) if tensor else (path.stem, delta.id)
            )
            what = "a stored Delta changed"
            outcome.findings.append(finding(what, tensor=tensor, expected=hashes[0], found=hashes[1]))
            return None
        _check_layout(path, delta)
    except Exception as error:  # damaged bytes may raise any exception in the readers
        found = error.found if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        what = error.what if isinstance(error, InputError) else "a stored Delta changed"
        outcome.findings.append(finding(what, expected=path.stem, found=found[:300]))
        return None
    return delta


def _check_layout(path: Path, delta: StoredDelta) -> None:
    """Checks the bytes that loading ignores: they must be as `save_delta` writes them.

    Raises:
        ValueError: They are not; the message says which.
    """
    with path.open("rb") as file:
        text = file.read(int.from_bytes(file.read(8), "little")).rstrip(b" ")
    header = json.loads(text)
    metadata_text = header["__metadata__"]["taskstream"]
    metadata = json.loads(metadata_text)
    compact = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
    if compact.encode() != text or json.dumps(metadata) != metadata_text or metadata["id"] != delta.id:
        raise ValueError("its header does not match its content")
    for name in delta.negative_zeros:
        raise ValueError(f"tensor {name} contains a negative zero, which taskstream never writes")


def _compare(fit: FitEvent, stored: StoredDelta, path: Path, learner: Learner, later: bool) -> list[Finding]:
    """Returns the differences between the event of a fit and its stored Delta.

    Args:
        later: Whether the learner has an earlier successful fit. Then this fit did not train the common tensors.
    """
    finding = _finding_for(fit, path)
    findings = [
        finding("the ledger has another hash for this tensor of the fit's Delta", tensor=name,
                expected=str(fit.digests.get(name)), found=str(stored.digests.get(name)))
        for name in dict.fromkeys((*fit.digests, *stored.digests))
        if fit.digests.get(name) != stored.digests.get(name)
    ]  # fmt: skip
    shared = sum(size for name, size in stored.sizes.items() if common(learner, name))
    counts = {
        "parameters": sum(n for name, n in stored.sizes.items() if not is_head(name)) - (shared if later else 0),
        "kept_parameters": stored.counts.without_head,
        "added_parameters": stored.counts.added,
        "head_parameters": stored.counts.head,
        "common_parameters": sum(count for name, count in stored.kept.items() if common(learner, name)),
        "head_bytes": 4 * stored.counts.head,
        "bytes": stored.size,
    }
    for name, found in counts.items():
        expected = getattr(fit, name)
        if expected != found:
            what = f"the ledger has another number of {name.replace('_', ' ')} for this fit than its Delta"
            findings.append(finding(what, expected=str(expected), found=str(found)))
    return findings


def _check_records(store: Store, fits: Sequence[FitEvent], outcome: Outcome) -> None:
    records: dict[str, Record] = {}
    damaged = set()
    for path in sorted((store.root / "fits").glob("*.json")):
        outcome.counts["records"] += 1
        try:
            written = read_record(path)
            if record_text(written) != path.read_bytes().decode():
                raise ValueError("its layout is not the one that taskstream writes")
            if (found := written_recipe_id(written)) != path.stem:
                raise ValueError(f"it is the record of recipe {found}")
            records[path.stem] = written
        except (InputError, ValueError, LookupError, TypeError) as error:
            found = error.found if isinstance(error, InputError) else str(error)
            damaged.add(path.stem)
            outcome.findings.append(Finding("the record of a fit changed", str(path), expected=path.stem, found=found))
    for fit in fits:
        path, record = store.fit_path(fit.recipe), records.get(fit.recipe)
        if fit.recipe in damaged:
            continue
        finding = _finding_for(fit, path)
        if record is None:
            outcome.findings.append(finding("the record of this fit is missing", expected=fit.recipe, found="None"))
            continue
        entries = plain(fit)
        for name in (*record, "delta"):
            if name in NOT_REPEATABLE or name == "recipe" or entries.get(name) == record.get(name):
                continue
            what = f"the ledger and the store differ in this fit's {name.replace('_', ' ')}"
            if name == "delta":
                what = "equal recipes gave different Deltas: this fit is not repeatable"
            shown = str(entries.get(name))[:200], str(record.get(name))[:200]
            outcome.findings.append(finding(what, expected=shown[0], found=shown[1]))
            break
