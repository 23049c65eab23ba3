"""The store: every file is what its name says, and what the run's fits say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open

from learners.delta.delta import Counts, Delta, is_head, load_delta
from learners.delta.layout import common
from learners.specification.learner import Learner
from stream.storage.events import FitEvent
from stream.storage.plain import plain
from stream.storage.store import Record, Store, read_record, record_text, written_recipe_id
from stream.verification.recorded import Recorded
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

# What the clock and the machine say differs when a lost Delta is fitted again by another run on the store.
OF_THE_MOMENT = frozenset({"seconds", "peak_memory_bytes"})


@dataclass(frozen=True)
class Blob:
    """What a Delta's file holds, without its tensors."""

    digests: Mapping[str, str]
    pruned: frozenset[str]
    counts: Counts
    kept: Mapping[str, int]  # scalars of each tensor, pruned zeros left out
    sizes: Mapping[str, int]  # scalars of each tensor, pruned or not
    size: int  # bytes


def check_store(store: Store, run: Recorded, progress: Callable[[str], None]) -> tuple[dict[str, Blob], Outcome]:
    """Read every file of the store, those of other runs too; returns the Deltas that are what their names say."""
    outcome = Outcome()
    fits = [fit for job in run.jobs if isinstance(fit := run.events.get(job.id), FitEvent)]
    named: dict[str, FitEvent] = {}
    for fit in fits:
        named.setdefault(fit.delta, fit)
    blobs: dict[str, Blob] = {}
    paths = sorted((store.root / "deltas").glob("*.safetensors"))
    for number, path in enumerate(paths, start=1):
        progress(f"Delta {number} of {len(paths)}")
        outcome.counts["deltas"] += 1
        outcome.counts["bytes"] += path.stat().st_size
        blob = _read(path, named.get(path.stem), outcome)
        if blob is not None:
            blobs[path.stem] = blob
            outcome.counts["tensors"] += len(blob.digests)
    damaged = {finding.file for finding in outcome.findings}
    taught: set[str] = set()
    for fit in fits:
        path = store.delta_path(fit.delta)
        if fit.delta in blobs:
            learner = run.facts.learners[fit.learner]
            outcome.findings += _against(fit, blobs[fit.delta], path, learner, fit.learner in taught)
        elif str(path) not in damaged:
            outcome.findings.append(_of(fit, path)("the Delta of this fit is gone", expected=fit.delta))
        taught.add(fit.learner)
    outcome.counts["fits"] = len(fits)
    outcome.counts["other_deltas"] = sum(path.stem not in named for path in paths)
    _check_records(store, fits, outcome)
    return blobs, outcome


def _of(fit: FitEvent | None, path: Path) -> Callable[..., Finding]:
    """Findings on a file, and on the fit that it is of."""
    if fit is None:
        return partial(Finding, file=str(path))
    return partial(Finding, file=str(path), learner=fit.learner, task=fit.task, arrival=fit.arrival)


def _read(path: Path, fit: FitEvent | None, outcome: Outcome) -> Blob | None:
    finding = _of(fit, path)
    try:
        delta = load_delta(path)
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
    except Exception as error:  # damaged bytes may raise anything in the readers
        found = error.found if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        what = error.what if isinstance(error, InputError) else "a stored Delta changed"
        outcome.findings.append(finding(what, expected=path.stem, found=found[:300]))
        return None
    sizes = {name: tensor.numel() for name, tensor in delta.tensors.items()}
    return Blob(delta.digests, delta.pruned, delta.counts, delta.kept, sizes, path.stat().st_size)


def _check_layout(path: Path, delta: Delta) -> None:
    """See that also those bytes that reading does not heed are as `save_delta` writes them.

    Raises:
        ValueError: Which are not.
    """
    with path.open("rb") as file:
        text = file.read(int.from_bytes(file.read(8), "little")).rstrip(b" ")
    header = json.loads(text)
    said = header["__metadata__"]["taskstream"]
    own = json.loads(said)
    compact = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
    if compact.encode() != text or json.dumps(own) != said or own["id"] != delta.id:
        raise ValueError("its header is not the one of this content")
    with safe_open(path, framework="pt") as file:
        for name in (name for name in delta.pruned if own["pruned"][name] is None):
            stored = file.get_tensor(name)
            if torch.signbit(stored[stored == 0]).any():
                raise ValueError(f"tensor {name} holds a negative zero, which none of ours does")


def _against(fit: FitEvent, blob: Blob, path: Path, learner: Learner, later: bool) -> list[Finding]:
    """What an event says of its Delta and the Delta itself says otherwise.

    Args:
        later: Whether an earlier fit of the learner was good, so that what is common was not trained here.
    """
    finding = _of(fit, path)
    findings = [
        finding("this fit's Delta is recorded with another tensor", tensor=name,
                expected=str(fit.digests.get(name)), found=str(blob.digests.get(name)))
        for name in dict.fromkeys((*fit.digests, *blob.digests))
        if fit.digests.get(name) != blob.digests.get(name)
    ]  # fmt: skip
    shared = sum(size for name, size in blob.sizes.items() if common(learner, name))
    counts = {
        "parameters": sum(n for name, n in blob.sizes.items() if not is_head(name)) - (shared if later else 0),
        "kept_parameters": blob.counts.without_head,
        "added_parameters": blob.counts.added,
        "head_parameters": blob.counts.head,
        "common_parameters": sum(count for name, count in blob.kept.items() if common(learner, name)),
        "head_bytes": 4 * blob.counts.head,
        "bytes": blob.size,
    }
    for name, found in counts.items():
        expected = getattr(fit, name)
        if expected != found:
            what = f"this fit is recorded with another number of {name.replace('_', ' ')} than its Delta has"
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
                raise ValueError("not laid out as it was written")
            if (found := written_recipe_id(written)) != path.stem:
                raise ValueError(f"the record of recipe {found}")
            records[path.stem] = written
        except (InputError, ValueError, LookupError, TypeError) as error:
            found = error.found if isinstance(error, InputError) else str(error)
            damaged.add(path.stem)
            outcome.findings.append(Finding("a fit's record changed", str(path), expected=path.stem, found=found))
    for fit in fits:
        path, record = store.fit_path(fit.recipe), records.get(fit.recipe)
        if fit.recipe in damaged:
            continue
        finding = _of(fit, path)
        if record is None:
            outcome.findings.append(finding("the record of this fit is gone", expected=fit.recipe, found="None"))
            continue
        said = plain(fit)
        for name in (*record, "delta"):
            if name in OF_THE_MOMENT or name == "recipe" or said.get(name) == record.get(name):
                continue
            what = f"the ledger and the store differ in this fit's {name.replace('_', ' ')}"
            if name == "delta":
                what = "one recipe, two contents: this fit was not repeatable"
            shown = str(said.get(name))[:200], str(record.get(name))[:200]
            outcome.findings.append(finding(what, expected=shown[0], found=shown[1]))
            break
