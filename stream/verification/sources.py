"""What a run was made from: encoded data and backbone files, where they are at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from learners.backbones.backbone import Backbone
from learners.backbones.fingerprint import file_digests
from learners.backbones.locate import cached_snapshot, find_checkpoint, pinned_backbone
from stream.config.settings import RunConfig
from stream.engine.context import cache_folder
from stream.plugins.used import check_present
from stream.verification.recorded import Recorded
from stream.verification.verdict import Finding, Outcome
from tasks.encode import encode
from tasks.encoded import check_encoded
from tasks.errors import InputError
from tasks.examples import Limits
from tasks.sources import open_source


def check_encoded_data(run: Recorded, progress: Callable[[str], None]) -> Outcome:
    """Every byte of the encoded tasks that the last call used, if the cache still has them."""
    outcome = Outcome()
    absent = []
    for task, expected in run.inputs.data.items():
        path = entry_of(run, task)
        if path is None:
            absent.append(task)
            continue
        progress(f"encoded data of {task}")
        outcome.counts["tasks"] += 1
        try:
            check_encoded(path, expected)
        except InputError as error:
            outcome.findings.append(
                Finding(error.what, error.where, task=task, expected=error.expected, found=error.found)
            )
    if absent:
        some = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        outcome.notes.append(f"encoded data of {len(absent)} tasks not here, not checked: {some}")
    return outcome


def entry_of(run: Recorded, task: str) -> Path | None:
    """The folder of an encoded task in this user's cache; None where it is not here."""
    name = run.opening.encoded.get(task)
    path = None if name is None else cache_folder() / Path(name).name
    return path if path is not None and path.is_dir() else None


def encoded_of(
    run: Recorded, task: str, config: RunConfig, backbone: Backbone, progress: Callable[[str], None]
) -> Path:
    """The folder of an encoded task: in this user's cache, or encoded again from the run's source.

    Raises:
        InputError: The source is not to be had here, or gives other data.
    """
    path = entry_of(run, task)
    if path is not None:
        return path
    progress(f"encoding {task}")
    check_present(run.facts.plugins, f"source {config.source}", ("source",))
    source = open_source(config.source, config.columns)
    inputs = run.inputs
    limits = Limits(inputs.train_examples, inputs.test_examples, inputs.validation_examples)
    tokenizer = (backbone.tokenizer, backbone.tokenizer_id, config.max_length)
    encoded = encode(source, task, *tokenizer, cache_folder(), limits)
    expected = run.inputs.data[task]
    if encoded.id != expected:
        raise InputError(
            "the source no longer gives the data of the run", where=f"task {task} of {config.source}",
            expected=f"content {expected[:16]}", found=encoded.id[:16], fix="do this where the data are",
        )  # fmt: skip
    return encoded.path


def check_backbone_files(run: Recorded, progress: Callable[[str], None]) -> Outcome:
    """The files that the backbone was read from, if they lie where the run found them; nothing is fetched."""
    outcome = Outcome()
    name = pinned_backbone(run.facts.backbone)
    progress(f"files of backbone {name}")
    try:
        folder = _folder(name)
    except InputError as error:
        if Path(error.where).is_file():  # it is here, and says itself that it is not what it should be
            outcome.findings.append(Finding(error.what, error.where, expected=error.expected, found=error.found))
            return outcome
        folder = None
    if folder is None:
        outcome.notes.append(f"backbone {name} not here, its files not checked")
        return outcome
    found = file_digests(folder)
    for file, digest in run.inputs.files.items():
        outcome.counts["files"] += 1
        if found.get(file) != digest:
            what = "a file of the backbone changed" if file in found else "a file of the backbone is gone"
            outcome.findings.append(Finding(what, str(folder / file), expected=digest, found=found.get(file, "")))
    if added := [file for file in found if file not in run.inputs.files]:
        outcome.notes.append(f"files beside the backbone that were not there: {', '.join(added)}")
    return outcome


def _folder(name: str) -> Path | None:
    path = Path(name).expanduser()
    if name in ("embedded", "minilm"):
        return find_checkpoint(name).folder
    if path.is_dir():
        return path
    if path.is_absolute() or name.startswith(("./", "../", "~")):
        return None
    try:
        return cached_snapshot(name)
    except (OSError, ValueError, InputError):  # not in the local cache, or no hub id
        return None
