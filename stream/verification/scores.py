"""Checks the cells that the store certifies: another run measured an equal evaluation, and the final audit agrees."""

from __future__ import annotations

from learners.specification.alternatives import task_learner
from learners.specification.recipe import recipe_of
from stream.storage.cell import Cell
from stream.storage.events import FitEvent, RowEvent
from stream.storage.job import Job
from stream.storage.scores import Evaluation, get_score, read_score, score_files
from stream.storage.store import Store
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

FIELDS = ("score", "n", "logits", "predictions", "delta", "plan")


def check_scores(store: Store, run: RecordedRun, ledger: str) -> Outcome:
    """Checks every score in the store, and compares each certified cell in the ledger with that of its evaluation.

    A score that is missing gives a note: the logits of the cell are then those of the run's own audits, which
    `check_cells` compares, or of the row before training.
    """
    outcome, missing = Outcome(), 0
    for path in score_files(store):
        outcome.counts["scores"] += 1
        try:
            read_score(path)
        except InputError as error:
            outcome.findings.append(Finding("a stored score changed", str(path), expected=path.stem, found=error.found))
    for job in run.jobs:
        event = run.events.get(job.id)
        for cell in event.cells if isinstance(event, RowEvent) else ():
            if cell.provenance != "certified":
                continue
            known = get_score(store, evaluation_of(run, job, cell))
            if known is None:
                missing += 1
                continue
            outcome.counts["certified_by_store"] += 1
            for name in FIELDS:
                expected, found = getattr(known, name), getattr(cell, name)
                if expected != found:
                    what = f"the {name} of this certified cell differs from that of the equal evaluation in the store"
                    outcome.findings.append(
                        Finding(what, ledger, job.learner, cell.task, job.arrival, expected=str(expected),
                                found=str(found))
                    )  # fmt: skip
    if missing:
        outcome.notes.append(f"{missing} cells were certified by evaluations that are no longer in the store")
    return outcome


def evaluation_of(run: RecordedRun, job: Job, cell: Cell) -> Evaluation:
    """Returns the inputs of the evaluation behind a cell, from those in the ledger."""
    learner = run.facts.learners[job.learner]
    fit = run.fits[job.learner][run.place[cell.task] - 1]
    if job.kind != "before" and isinstance(fit, FitEvent):
        learner = task_learner(learner, fit.chosen)
    return Evaluation(
        backbone=run.inputs.backbone,
        delta=cell.delta,
        learner=recipe_of(learner),
        data=tuple(run.inputs.scored_data(cell.task)),
        test_examples=run.inputs.test_examples,
        data_seed=run.inputs.sample_seed,
        numerics=run.inputs.numerics,
    )
