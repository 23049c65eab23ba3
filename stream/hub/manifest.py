"""Makes the record of a shared Delta from its run."""

from __future__ import annotations

import re
from collections.abc import Iterable

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.export.peft_base import reference
from learners.specification.alternatives import SEARCH_OPTIONS
from learners.specification.learner import Learner, peak_rate
from stream.hub.delta_record import (
    FORMAT,
    BackboneRecord,
    Certificate,
    DeltaRecord,
    LedgerRecord,
    TaskRecord,
    TrainingRecord,
)
from stream.results.document import LIBRARIES, matrix_of, row_event
from stream.storage.events import Fit, FitEvent
from stream.verification.chain import RunFiles
from stream.verification.learned import final_learner
from stream.verification.recorded import RecordedRun
from tasks.encoded import EncodedTask

COMMIT = re.compile(r"hub (?P<repository>\S+)(?: \((?P<configuration>[^)]+)\))? at commit (?P<commit>[0-9a-f]{40})")


def record_of(
    run: RecordedRun, evidence: RunFiles, backbone: Backbone, learner: str, data: EncodedTask, delta: Delta
) -> DeltaRecord:
    """Returns the record of the Delta that a learner has for a task at the end of a run.

    Args:
        run, evidence: The state of the run, and its files.
        learner: The learner's name in the run.
        data: The task's encoded data.
        delta: Body and head for the task.
    """
    task, facts = data.task, run.facts
    kept, specification = final_learner(run, learner, task.name)
    about = facts.tasks[task.name]
    methods = specification.family.split("+")
    plugins = tuple(row for row in facts.plugins if row["kind"] == "learner" and row["name"] in methods)
    libraries = ("taskstream", *LIBRARIES, specification.library.split(" ")[0])
    return DeltaRecord(
        format=FORMAT,
        learner=kept,
        canonical=specification.name,
        sharing=specification.sharing,
        overrides={name: value for name, value in run.header.overrides.items() if name not in SEARCH_OPTIONS},
        delta=delta.id,
        backbone=BackboneRecord(
            name=reference(backbone),
            id=backbone.id,
            parameters=facts.backbone["parameters"],
            pooling=backbone.pooling,
            dtype=run.dtype,
            commit=backbone.commit,
        ),
        task=TaskRecord(
            name=task.name,
            title=task.title,
            kind=task.kind,
            metric=task.metric,
            labels=tuple(task.labels or ()),
            data_id=data.id,
            source=without_path(facts.source),
            **published_at(about["notes"]),
        ),
        training=_training(specification, run.fits[learner][run.place[task.name] - 1], backbone),
        max_length=data.max_length,
        arrival=run.place[task.name],
        of=len(facts.order),
        seed=facts.seed,
        parameters=delta.counts,
        certificate=certificate_of(run, evidence, learner, task.name, delta.id),
        versions={name: str(facts.environment[name]) for name in libraries if name in facts.environment},
        plugins=plugins or None,
    )


def _training(learner: Learner, fit: Fit | None, backbone: Backbone) -> TrainingRecord:
    assert isinstance(fit, FitEvent), "only a task with a good fit has a Delta"
    settings, ran = learner.training, len(fit.losses)
    if not learner.trains:
        return TrainingRecord(fit.examples)
    return TrainingRecord(
        rows=fit.examples // max(ran, 1),
        ran=ran,
        best=fit.best + 1,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        peak_learning_rate=peak_rate(settings, backbone.architecture.hidden),
    )


def certificate_of(run: RecordedRun, evidence: RunFiles, learner: str, task: str, delta: str) -> Certificate | None:
    """Returns the evidence for the last score of a Delta in R; None if no row has evaluated it yet.

    Args:
        delta: Content id of the Delta that answers the task.
    """
    matrix = matrix_of(run.facts.order, learner, run.events)
    place, isolated = run.place[task], run.facts.learners[learner].keeps_task_weights
    for arrival in range(len(matrix.rows), place - 1, -1):
        event = row_event(run.events, learner, arrival)
        for cell in event.cells if event else ():
            if (cell.task, cell.delta) == (task, delta):
                last = len(matrix.rows) if isolated else arrival  # later cells of an isolated learner are certified
                return Certificate(
                    score=cell.score,
                    provenance=matrix.provenance[last - 1][place - 1],
                    measured_at=arrival,
                    rows=last - place + 1,
                    shared_weights=not isolated,
                    n=cell.n,
                    logits=cell.logits,
                    predictions=cell.predictions,
                    plan=cell.plan,
                    ledger=LedgerRecord(evidence.ledger.lines, evidence.ledger.last),
                )
    return None


def without_path(source: str) -> str:
    """Returns a source without the path of a folder, which is private."""
    return "folder" if source.startswith("folder:") else source


def published_at(notes: Iterable[str]) -> dict[str, str]:
    """Returns repository, configuration and commit of a data set on the hub, read from a task's notes; else empty."""
    found = next((match for note in notes if (match := COMMIT.fullmatch(note))), None)
    return {} if found is None else {name: value for name, value in found.groupdict().items() if value}
