"""Runs all checks of a run, one after another. Each check is a function that returns an `Outcome`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from learners.delta.stored import StoredDelta
from stream.plugins.used import MissingPlugin
from stream.selection.choice import chooses
from stream.storage.scores import score_files
from stream.storage.store import Store
from stream.study.study import stores_beside
from stream.verification.cells import check_cells
from stream.verification.chain import RunFiles, read_run_files
from stream.verification.documents import check_documents
from stream.verification.keys import check_events, check_header
from stream.verification.recorded import RecordedRun, recorded_run
from stream.verification.scores import check_scores
from stream.verification.selection import check_selection
from stream.verification.sources import check_backbone_files, check_encoded_data
from stream.verification.stored import check_store
from stream.verification.verdict import Finding, Outcome, Verdict
from tasks.errors import InputError

# A forged event may have any form, and reading it may raise any of these.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, StopIteration, InputError)


def verify(
    folder: str | Path,
    *,
    store: str | Path | None = None,
    rerun: int | None = 0,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Checks a run: compares its ledger, store and documents with each other and with their hashes.

    It only reads, so the folder may be a copy or read-only, and the data may be missing. Only `rerun` needs the data;
    it encodes data that the cache lacks.

    Args:
        folder: Folder of the run.
        store: Folder of its store. None (default): in the run's folder, or where the settings say.
        rerun: Number of cells to evaluate again from the stored Deltas; None is all. The same share of validation
            scores is computed again. Default: 0.
        seed: Seed for the draw of these cells. Default: 0.
        progress: Called with a text before each check. Default: does nothing.

    Raises:
        InputError: There is no run in the folder, another version wrote it, or `rerun` needs data or a backbone that
            are not available.
        MissingPlugin: The run uses a plug-in that is not loaded, or that has other content.
    """
    progress("ledger")
    files, chain = read_run_files(Path(folder))
    outcomes = {"chain": chain}
    run: RecordedRun | None = None
    if files is not None:
        ledger = str(files.ledger.path)
        try:
            run = recorded_run(files.events, ledger)
        except MissingPlugin:  # not a finding: without the plug-in, the run cannot be checked
            raise
        except UNREADABLE as error:
            chain.findings.append(_unreadable(error, ledger))
        else:
            if run is None:
                chain.notes.append("no call of this run reached its first job")
    if files is not None and run is not None:
        _check(files, run, store_of(files, store), outcomes, progress)
        if rerun != 0 and not any(outcome.findings for outcome in outcomes.values()):
            from stream.verification.rerun import rerun as rerun_cells  # imports PyTorch

            outcomes["rerun"] = rerun_cells(files, run, store_of(files, store), rerun, seed, progress)
        elif rerun != 0:
            chain.notes.append("no cell was evaluated again, because the checks before found differences")
    return Verdict(
        folder=str(folder),
        tasks=len(run.facts.order) if run else 0,
        learners=len(run.facts.learners) if run else 0,
        counts={name: dict(outcome.counts) for name, outcome in outcomes.items()},
        findings=tuple(finding for outcome in outcomes.values() for finding in outcome.findings),
        notes=tuple(note for outcome in outcomes.values() for note in outcome.notes),
    )


def whole_record(folder: Path, lenient: bool = False) -> tuple[RunFiles, RecordedRun]:
    """Returns the files and the state of a run, for code that uses a run instead of checking it.

    Args:
        lenient: Whether to accept missing plug-ins, as for `recorded_run`. Default: False.

    Raises:
        InputError: There is no run in the folder, another version wrote it, or its files are damaged.
        MissingPlugin: The run uses a plug-in that is not loaded, and `lenient` is false.
    """
    files, chain = read_run_files(folder)
    damaged = chain.findings[0].what if chain.findings else "the run ended before its first event"
    try:
        run = None if files is None or chain.findings else recorded_run(files.events, str(folder), lenient)
    except MissingPlugin:
        raise
    except UNREADABLE as error:
        run, damaged = None, f"{type(error).__name__}: {error}"
    if files is None or run is None:
        fix = f"taskstream verify {folder}"
        raise InputError("the files of this run are damaged", where=str(folder), found=damaged, fix=fix)
    return files, run


def store_of(files: RunFiles, given: str | Path | None = None) -> Store:
    """Returns the store of a run: the given folder, else `store` in the run's folder or in that of its study, else
    where its settings say."""
    inside = next((each for each in stores_beside(files.folder) if each.is_dir()), files.folder / "store")
    if given is not None or inside.is_dir() or files.config is None or files.config.store is None:
        return Store(Path(given) if given is not None else inside)
    return Store(files.config.store_folder)


def _check(
    files: RunFiles,
    run: RecordedRun,
    store: Store,
    outcomes: dict[str, Outcome],
    progress: Callable[[str], None],
) -> None:
    ledger = str(files.ledger.path)
    deltas: dict[str, StoredDelta] = {}

    def stored() -> Outcome:
        intact, outcome = check_store(store, run, progress)
        deltas.update(intact)
        return outcome

    steps: dict[str, Callable[[], Outcome]] = {
        "settings": lambda: check_header(files, run),
        "keys": lambda: check_events(files, run),
        "store": stored,
        "selection": lambda: check_selection(files, run, store),
        "cells": lambda: check_cells(run, deltas, ledger),
        "scores": lambda: check_scores(store, run, ledger),
        "documents": lambda: check_documents(files, run),
        "encoded": lambda: check_encoded_data(run, progress),
        "backbone": lambda: check_backbone_files(run, progress),
    }
    if not any(chooses(learner) for learner in run.facts.learners.values()):
        del steps["selection"]
    if not score_files(store) and all(cell.provenance != "certified" for cell in run.written_cells):
        del steps["scores"]
    for name, step in steps.items():
        progress(name)
        try:
            outcomes[name] = step()
        except UNREADABLE as error:
            outcomes[name] = Outcome([_unreadable(error, ledger)])


def _unreadable(error: Exception, ledger: str) -> Finding:
    found = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return Finding("the ledger has an event that a run does not write", ledger, found=found[:300])
