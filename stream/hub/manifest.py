"""The record beside a shared Delta: what it answers to, on which backbone, how well, and why that score holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.export.peft import reference
from learners.specification.learner import Learner, peak_rate
from stream.results.document import LIBRARIES, matrix_of, row_event
from stream.verification.chain import RunFiles
from stream.verification.recorded import Recorded
from tasks.documents import read_object
from tasks.encoded import EncodedTask
from tasks.errors import InputError

RECORD = "config.json"  # the file by which the hub counts a model's downloads
DELTA = "delta.safetensors"
FORMAT = "taskstream delta 1"
COMMIT = re.compile(r"hub (?P<repository>\S+)(?: \((?P<configuration>[^)]+)\))? at commit (?P<commit>[0-9a-f]{40})")

Record = Mapping[str, Any]


def record_of(
    run: Recorded, evidence: RunFiles, backbone: Backbone, learner: str, data: EncodedTask, delta: Delta
) -> dict[str, Any]:
    """The record of what answers for a task at the end of a run, as plain values; no path of a machine is in it.

    Args:
        learner: The run's name of it.
        data: The task's encoded data.
        delta: Body and head that answer for it.
    """
    task, facts = data.task, run.facts
    commit = {} if backbone.commit is None else {"commit": backbone.commit}
    about = facts.tasks[task.name]
    libraries = ("taskstream", *LIBRARIES, facts.learners[learner].library.split(" ")[0])
    return {
        "format": FORMAT,
        "learner": learner,
        "canonical": facts.learners[learner].name,
        "sharing": facts.learners[learner].sharing,
        "overrides": run.opening.overrides,
        "delta": delta.id,
        "backbone": {
            "name": reference(backbone),
            "id": backbone.id,
            "parameters": facts.backbone["parameters"],
            "pooling": backbone.pooling,
            "dtype": run.inputs.numerics["dtype"],
            **commit,
        },
        "task": {
            "name": task.name,
            "title": task.title,
            "kind": task.kind,
            "metric": task.metric,
            "labels": list(task.labels or ()),
            "data_id": data.id,
            "source": without_path(facts.source),
            **published_at(about["notes"]),
        },
        "training": _training(facts.learners[learner], data, backbone),
        "max_length": data.max_length,
        "arrival": run.place[task.name],
        "of": len(facts.order),
        "seed": facts.seed,
        "parameters": dict(vars(delta.counts)),
        "certificate": certificate_of(run, evidence, learner, task.name),
        "versions": {name: facts.environment[name] for name in libraries if name in facts.environment},
    }


def _training(learner: Learner, data: EncodedTask, backbone: Backbone) -> dict[str, Any]:
    """Rows of the task that were trained on, and how; its epochs are the most there may have been."""
    settings = learner.training
    rate = peak_rate(settings, backbone.architecture.hidden)
    how = {"epochs": settings.epochs, "batch_size": settings.batch_size, "peak_learning_rate": rate}
    return {"rows": len(data.train), **(how if learner.trains else {})}


def certificate_of(run: Recorded, evidence: RunFiles, learner: str, task: str) -> dict[str, Any] | None:
    """Why the last score of a task in R holds: the cell that was run, by the ids of all it rests on; None without one.

    Attributes of the certificate: `provenance` of the last row's cell, `measured_at` the arrival at which the logits
    were computed, `rows` of R after the task's arrival that hold it, and the ledger that says so.
    """
    matrix = matrix_of(run.facts.order, learner, run.events)
    place = run.place[task]
    if not matrix.rows or (score := matrix.rows[-1][place - 1]) is None:
        return None
    for arrival in range(len(matrix.rows), place - 1, -1):
        event = row_event(run.events, learner, arrival)
        for cell in event.cells if event else ():
            if cell.task == task:
                ids = {name: getattr(cell, name) for name in ("n", "logits", "predictions", "plan")}
                how = {"provenance": matrix.provenance[-1][place - 1], "measured_at": arrival}
                ledger = {"lines": evidence.ledger.lines, "hash": evidence.ledger.last}
                rows = len(matrix.rows) - place + 1
                forgets = not run.facts.learners[learner].keeps_task_weights
                return {"score": score, **how, "rows": rows, "shared_weights": forgets, **ids, "ledger": ledger}
    raise AssertionError(f"no cell of task {task} was run, though it has a score")


def without_path(source: str) -> str:
    """A source as others may know it: of a folder, only that it was one."""
    return "folder" if source.startswith("folder:") else source


def published_at(notes: list[str]) -> dict[str, str]:
    """Repository, configuration and commit on the hub that a task came from, by its notes; empty for other sources."""
    found = next((match for note in notes if (match := COMMIT.fullmatch(note))), None)
    return {} if found is None else {name: value for name, value in found.groupdict().items() if value}


def read_record(folder: Path) -> Record:
    """The record in a folder.

    Raises:
        InputError: There is none, or it is of another version.
    """
    record = read_object(folder / RECORD, what="not the folder of a shared Delta")
    if record.get("format") != FORMAT:
        found = repr(record.get("format"))[:60]
        raise InputError("not a shared Delta of this version", where=str(folder), expected=FORMAT, found=found)
    return record
