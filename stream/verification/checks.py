"""All checks of a run, one after another; each is a function from what is there to an `Outcome`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stream.plugins.used import MissingPlugin
from stream.storage.store import Store
from stream.verification.blobs import Blob, check_store
from stream.verification.cells import check_cells
from stream.verification.chain import RunFiles, read_run_files
from stream.verification.documents import check_documents
from stream.verification.keys import check_events, check_header
from stream.verification.recorded import Recorded, recorded
from stream.verification.rerun import rerun as rerun_cells
from stream.verification.sources import check_backbone_files, check_encoded_data
from stream.verification.verdict import Finding, Outcome, Verdict
from tasks.errors import InputError

# What a forged event of unforeseen form may raise wherever it is read.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, StopIteration, InputError)


def verify(
    folder: str | Path,
    *,
    store: str | Path | None = None,
    rerun: int | None = 0,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Check a run: what its ledger, store and documents claim, against each other and against their hashes.

    Only reads: a folder copied from elsewhere, or one that may not be written to, will do, and so will one without the
    data; only `rerun` encodes data that the cache lacks.

    Args:
        folder: Of the run.
        store: Its store, if that lies neither in the folder nor where the settings say.
        rerun: How many cells to evaluate again from the stored Deltas; None is all of them.
        seed: For the draw of those cells.
        progress: Told what is being checked.

    Raises:
        InputError: There is no run, or one of another version; or `rerun` needs what is not to be had here.
        MissingPlugin: The run uses plug-ins that are not in use here, or not with the same content.
    """
    progress("ledger")
    evidence, chain = read_run_files(Path(folder))
    outcomes = {"chain": chain}
    run: Recorded | None = None
    if evidence is not None:
        ledger = str(evidence.ledger.path)
        try:
            run = recorded(evidence.events, ledger)
        except MissingPlugin:  # no difference: what is needed to look for one is not here
            raise
        except UNREADABLE as error:
            chain.findings.append(_unreadable(error, ledger))
        else:
            if run is None:
                chain.notes.append("no call of this run came as far as its first job")
    if evidence is not None and run is not None:
        _check(evidence, run, store_of(evidence, store), outcomes, progress)
        if rerun != 0 and not any(outcome.findings for outcome in outcomes.values()):
            outcomes["rerun"] = rerun_cells(evidence, run, store_of(evidence, store), rerun, seed, progress)
        elif rerun != 0:
            chain.notes.append("no cell was evaluated again, as the record itself is not whole")
    return Verdict(
        folder=str(folder),
        tasks=len(run.facts.order) if run else 0,
        learners=len(run.facts.learners) if run else 0,
        counts={name: dict(outcome.counts) for name, outcome in outcomes.items()},
        findings=tuple(finding for outcome in outcomes.values() for finding in outcome.findings),
        notes=tuple(note for outcome in outcomes.values() for note in outcome.notes),
    )


def whole_record(folder: Path, lenient: bool = False) -> tuple[RunFiles, Recorded]:
    """The record of a run, for who builds on it rather than judges it.

    Args:
        lenient: As for `recorded`: go without plug-ins that are not in use.

    Raises:
        InputError: There is no run, one of another version, or one whose record is not whole; says what is not.
    """
    evidence, chain = read_run_files(folder)
    damaged = chain.findings[0].what if chain.findings else "the run ended before its first event"
    try:
        run = None if evidence is None or chain.findings else recorded(evidence.events, str(folder), lenient)
    except MissingPlugin:
        raise
    except UNREADABLE as error:
        run, damaged = None, f"{type(error).__name__}: {error}"
    if evidence is None or run is None:
        fix = f"taskstream verify {folder}"
        raise InputError("the record of this run is not whole", where=str(folder), found=damaged, fix=fix)
    return evidence, run


def store_of(evidence: RunFiles, given: str | Path | None = None) -> Store:
    """The run's store: the one given, or the one in its folder, or where its settings say."""
    inside = evidence.folder / "store"
    if given is not None or inside.is_dir() or evidence.config is None or evidence.config.store is None:
        return Store(Path(given) if given is not None else inside)
    return Store(evidence.config.store_folder)


def _check(
    evidence: RunFiles,
    run: Recorded,
    store: Store,
    outcomes: dict[str, Outcome],
    progress: Callable[[str], None],
) -> None:
    ledger = str(evidence.ledger.path)
    blobs: dict[str, Blob] = {}

    def stored() -> Outcome:
        found, outcome = check_store(store, run, progress)
        blobs.update(found)
        return outcome

    steps: dict[str, Callable[[], Outcome]] = {
        "settings": lambda: check_header(evidence, run),
        "keys": lambda: check_events(evidence, run),
        "store": stored,
        "cells": lambda: check_cells(run, blobs, ledger),
        "documents": lambda: check_documents(evidence, run),
        "encoded": lambda: check_encoded_data(run, progress),
        "backbone": lambda: check_backbone_files(run, progress),
    }
    for name, step in steps.items():
        progress(name)
        try:
            outcomes[name] = step()
        except UNREADABLE as error:
            outcomes[name] = Outcome([_unreadable(error, ledger)])


def _unreadable(error: Exception, ledger: str) -> Finding:
    found = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return Finding("an event is not what a run writes", ledger, found=found[:300])
