"""Checks the inputs of a run that are on this machine: encoded data and the files of the backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from learners.backbones.backbone import Backbone
from learners.backbones.fingerprint import file_digests
from learners.backbones.locate import cached_snapshot, find_checkpoint, pinned_backbone
from stream.config.settings import RunConfig
from stream.plugins.used import check_present
from stream.storage.keys import TWIN
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.encode import encode
from tasks.encoded import check_encoded
from tasks.errors import InputError
from tasks.examples import Limits
from tasks.home import cache_folder, check_cache
from tasks.sources import open_source


def check_encoded_data(run: RecordedRun, progress: Callable[[str], None]) -> Outcome:
    """Checks every byte of the encoded tasks of the last call that are in the cache."""
    outcome = Outcome()
    missing = []
    for task, expected in run.inputs.data.items():
        path = cached_data(run, task)
        if path is None:
            missing.append(task)
            continue
        progress(f"encoded data of {task}")
        outcome.counts["tasks"] += 1
        try:
            check_encoded(path, expected)
        except InputError as error:
            outcome.findings.append(
                Finding(error.what, error.where, task=task, expected=error.expected, found=error.found)
            )
    if missing:
        some = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        outcome.notes.append(f"encoded data of {len(missing)} tasks are not in the cache, not checked: {some}")
    return outcome


def cached_data(run: RecordedRun, task: str) -> Path | None:
    """Returns the folder of an encoded task in this user's cache; None if the cache does not have it."""
    name = run.header.encoded.get(task)
    path = None if name is None else cache_folder() / Path(name).name
    return path if path is not None and path.is_dir() else None


def encoded_of(
    run: RecordedRun, task: str, config: RunConfig, backbone: Backbone, progress: Callable[[str], None]
) -> Path:
    """Returns the folder of an encoded task in this user's cache. If the cache does not have it, encodes the task again
    from the run's source; a twin (`stream.storage.keys.twin_of`), from the simulated source.

    Raises:
        InputError: The source is not available, or gives other data, or the cache cannot be written.
        MissingPlugin: The source is a plug-in that is not loaded.
    """
    path = cached_data(run, task)
    if path is not None:
        return path
    progress(f"encoding {task}")
    check_cache()
    inputs = run.inputs
    if task.startswith(TWIN):
        where, source = "the simulated source", open_source("simulated", {})
    else:
        check_present(run.facts.plugins, f"source {config.source}", ("source",))
        where, source = config.source, open_source(config.source, config.columns)
    limits = Limits(inputs.train_examples, inputs.test_examples, inputs.validation_examples)
    tokenizer = (backbone.tokenizer, backbone.tokenizer_id, config.max_length)
    encoded = encode(source, task.removeprefix(TWIN), *tokenizer, cache_folder(), limits)
    expected = inputs.scored_data(task)[1]
    if encoded.id != expected:
        raise InputError(
            "the source no longer gives the data of the run", where=f"task {task} of {where}",
            expected=f"content {expected[:16]}", found=encoded.id[:16], fix="use a machine that has these data",
        )  # fmt: skip
    return encoded.path


def check_backbone_files(run: RecordedRun, progress: Callable[[str], None]) -> Outcome:
    """Checks the files of the backbone if they are on this machine. Downloads nothing."""
    outcome = Outcome()
    name = pinned_backbone(run.facts.backbone)
    progress(f"files of backbone {name}")
    try:
        place = _place(name)
    except InputError as error:
        if Path(error.where).is_file():  # the file is here, but its content is wrong
            outcome.findings.append(Finding(error.what, error.where, expected=error.expected, found=error.found))
            return outcome
        place = None
    if place is None:
        outcome.notes.append(f"backbone {name} is not on this machine, its files are not checked")
        return outcome
    folder, found = place[0], file_digests(*place)
    for file, digest in run.inputs.files.items():
        outcome.counts["files"] += 1
        if found.get(file) != digest:
            what = "a file of the backbone changed" if file in found else "a file of the backbone is missing"
            outcome.findings.append(Finding(what, str(folder / file), expected=digest, found=found.get(file, "")))
    if added := [file for file in found if file not in run.inputs.files]:
        outcome.notes.append(f"new files in the folder of the backbone: {', '.join(added)}")
    return outcome


def _place(name: str) -> tuple[Path, Mapping[str, str]] | None:
    """Returns the folder of a backbone, and the SHA-256 of files hashed to find it; None if it is not here."""
    path = Path(name).expanduser()
    if name in ("embedded", "minilm"):
        checkpoint = find_checkpoint(name)
        return checkpoint.folder, checkpoint.hashed
    if path.is_dir():
        return path, {}
    if path.is_absolute() or name.startswith(("./", "../", "~")):
        return None
    try:
        return cached_snapshot(name), {}
    except (OSError, ValueError, InputError):  # not in the local cache, or not the id of a model on the hub
        return None
