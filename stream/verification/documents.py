"""Checks the documents of a run: results.json and every R.csv must follow from the events of its ledger."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from stream.plugins.used import MissingPlugin
from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.results.schema import ADDED, ADDED_TRAINING, ResultsDocument
from stream.storage.files import readable_json
from stream.storage.learner_folder import learner_folder
from stream.verification.chain import RunFiles
from stream.verification.recorded import RecordedRun, recorded_run
from stream.verification.verdict import Finding, Outcome


def check_documents(files: RunFiles, now: RecordedRun) -> Outcome:
    """Makes the documents again from the events and compares them byte by byte.

    Documents are written after an event, so a crash in between leaves them older than the ledger. They are then
    compared with the state at the ledger line that results.json names.

    Args:
        now: The state at the end of the ledger.
    """
    outcome, ledger = Outcome(), files.ledger
    then: RecordedRun | None = now  # the state from which the documents were made
    if files.results is None or files.upto is None:
        if files.results is None:
            outcome.notes.append("no results.json yet: it is written after the first arrival")
        then = None
    elif files.upto < ledger.lines:
        try:
            then = recorded_run(files.events[: files.upto - 1])  # - 1: the first line of the ledger is not an event
        except MissingPlugin:  # they were made with an earlier content of a plug-in, and may be right
            outcome.notes.append("results.json was written before a plug-in changed, so it is not checked")
            return outcome
        if then is None:
            raise ValueError("results before the first call")
        behind = ledger.lines - files.upto
        outcome.notes.append(f"results.json is {behind} lines older than the ledger; the run's command updates it")
    if then is not None and files.results is not None:
        chain = json.loads(files.results)["ledger"]
        expected = results(then.facts, then.events)
        expected["ledger"] = chain
        _leave_out_added(expected, files.results)
        outcome.counts["documents"] += 1
        if files.results != readable_json(expected) + "\n":
            where, this, that = first_difference(json.loads(readable_json(expected)), json.loads(files.results))
            what = f"the results differ from those of the ledger's events: {where}"
            path, learner = files.path("results.json"), _learner(where, now)
            outcome.findings.append(Finding(what, path, learner, expected=this[:200], found=that[:200]))
    for name in now.facts.learners:
        _check_matrix(files, name, then, now, outcome)
    own = {learner_folder(files.folder, name).name for name in now.facts.learners}
    if others := [name for name in files.matrices if name not in own]:
        names = ", ".join(others)
        outcome.notes.append(f"R.csv is not checked in folders of learners that the last call did not use: {names}")
    return outcome


def _leave_out_added(expected: ResultsDocument, text: str) -> None:
    """Leaves out the entries that the version which wrote `text` did not know."""
    written = json.loads(text).get("learners", {})
    for name, entry in expected["learners"].items():
        for added in ADDED:
            if isinstance(written, dict) and name in written and added not in written[name]:
                del entry[added]  # type: ignore[misc]  # a document of an earlier version
        then = written[name].get("training") if isinstance(written, dict) and name in written else None
        if isinstance(then, dict):
            gone = [key for key in ADDED_TRAINING if key not in then]
            entry["training"] = {key: value for key, value in entry["training"].items() if key not in gone}


def first_difference(expected: Any, found: Any, where: str = "") -> tuple[str, str, str]:
    """Returns where two JSON values first differ, and both parts as text; the layout if the values are equal.

    Args:
        where: Path of the values in the whole document. Default: the whole document.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        pairs = [(str(key), expected.get(key), found.get(key)) for key in dict.fromkeys((*expected, *found))]
        pairs = [pair for pair in pairs if pair[0] not in expected or pair[0] not in found or pair[1] != pair[2]]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = [(str(at), *pair) for at, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1]]
    else:
        pairs = []
    if pairs:
        key, this, that = pairs[0]
        return first_difference(this, that, f"{where}/{key}")
    if expected == found:
        return where or "layout", "as this version writes it", "other spaces, order or digits"
    return where or "the whole document", json.dumps(expected), json.dumps(found)


def _learner(where: str, run: RecordedRun) -> str | None:
    _, _, rest = where.partition("/learners/")
    return next((name for name in run.facts.learners if rest == name or rest.startswith(f"{name}/")), None)


def _check_matrix(files: RunFiles, name: str, then: RecordedRun | None, now: RecordedRun, outcome: Outcome) -> None:
    folder = learner_folder(files.folder, name)
    path, text = str(folder / "R.csv"), files.matrices.get(folder.name)
    if text is None:
        if then is not None and name in then.facts.learners:
            outcome.findings.append(Finding("the R.csv of this learner is missing", path, name))
        return
    outcome.counts["documents"] += 1
    newest = to_csv(matrix_of(now.facts.order, name, now.events))
    expected = newest
    if then is not None and name in then.facts.learners:
        expected = to_csv(matrix_of(then.facts.order, name, then.events))
    # R.csv is written before results.json, so after a crash in between it has more rows.
    newer = then is not now and text.endswith("\n") and newest.startswith(text)
    if text == expected or newer:
        return
    pairs = zip_longest(expected.splitlines(True), text.splitlines(True), fillvalue="")
    number, (this, that) = next(entry for entry in enumerate(pairs, start=1) if entry[1][0] != entry[1][1])
    what = f"line {number} of this R.csv differs from that of the ledger's events"
    outcome.findings.append(Finding(what, path, name, expected=this[:200], found=that[:200]))
