"""The documents of a run: results.json and every R.csv are what the events of its ledger give."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from stream.plugins.used import MissingPlugin
from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.storage.files import readable_json
from stream.verification.chain import RunFiles
from stream.verification.recorded import Recorded, recorded
from stream.verification.verdict import Finding, Outcome


def check_documents(evidence: RunFiles, now: Recorded) -> Outcome:
    """Make the documents anew and compare them, byte for byte.

    Both are written after an event, so a crash in between leaves them older than the ledger; they are then compared
    with what the ledger gave at the line that results.json names.

    Args:
        now: The state at the end of the ledger.
    """
    outcome, ledger = Outcome(), evidence.ledger
    then: Recorded | None = now
    if evidence.results is None or evidence.upto is None:
        if evidence.results is None:
            outcome.notes.append("no results.json yet: it is written after the first arrival")
        then = None
    elif evidence.upto < ledger.lines:
        try:
            then = recorded(evidence.events[: evidence.upto - 1])  # without the first line, which is no event
        except MissingPlugin:  # they rest on a plug-in as it was before: nothing says they are wrong
            outcome.notes.append("results.json is older than the last change of a plug-in, not checked")
            return outcome
        if then is None:
            raise ValueError("results before the first call")
        behind = ledger.lines - evidence.upto
        outcome.notes.append(f"results.json is {behind} lines older than the ledger; the run's command brings it up")
    if then is not None and evidence.results is not None:
        chain = json.loads(evidence.results)["ledger"]
        expected = results(then.facts, then.events)
        expected["ledger"] = chain
        outcome.counts["documents"] += 1
        if evidence.results != readable_json(expected) + "\n":
            where, this, that = first_difference(json.loads(readable_json(expected)), json.loads(evidence.results))
            what = f"the results are not those of the ledger's events: {where}"
            path, learner = evidence.path("results.json"), _learner(where, now)
            outcome.findings.append(Finding(what, path, learner, expected=this[:200], found=that[:200]))
    for name in now.facts.learners:
        _check_matrix(evidence, name, then, now, outcome)
    others = [name for name in evidence.matrices if name not in now.facts.learners]
    if others:
        outcome.notes.append(f"R.csv of learners that the last call did not ask for, not checked: {', '.join(others)}")
    return outcome


def first_difference(expected: Any, found: Any, where: str = "") -> tuple[str, str, str]:
    """Where two JSON values differ first, and what stands there; the layout where the values are equal."""
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
        return where or "layout", "as this version writes it", "other blanks, order or digits"
    return where or "the whole", json.dumps(expected), json.dumps(found)


def _learner(where: str, run: Recorded) -> str | None:
    _, _, rest = where.partition("/learners/")
    return next((name for name in run.facts.learners if rest == name or rest.startswith(f"{name}/")), None)


def _check_matrix(evidence: RunFiles, name: str, then: Recorded | None, now: Recorded, outcome: Outcome) -> None:
    path, text = evidence.path(name, "R.csv"), evidence.matrices.get(name)
    if text is None:
        if then is not None and name in then.facts.learners:
            outcome.findings.append(Finding("the matrix of this learner is gone", path, name))
        return
    outcome.counts["documents"] += 1
    newest = to_csv(matrix_of(now.facts.order, name, now.events))
    expected = newest
    if then is not None and name in then.facts.learners:
        expected = to_csv(matrix_of(then.facts.order, name, then.events))
    # R.csv is written before results.json: a crash in between leaves a matrix that knows more rows.
    between = then is not now and text.endswith("\n") and newest.startswith(text)
    if text == expected or between:
        return
    pairs = zip_longest(expected.splitlines(True), text.splitlines(True), fillvalue="")
    number, (this, that) = next(entry for entry in enumerate(pairs, start=1) if entry[1][0] != entry[1][1])
    what = f"line {number} of this matrix is not what the ledger's events give"
    outcome.findings.append(Finding(what, path, name, expected=this[:200], found=that[:200]))
