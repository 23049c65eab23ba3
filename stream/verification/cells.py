"""The cells of R: each rests on the Delta it may rest on, and equal inputs gave equal answers, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from learners.delta.delta import answering
from stream.storage.cell import Cell
from stream.storage.events import FitEvent, RowEvent
from stream.storage.finished import cells_of, fit_of, good, row_of
from stream.storage.job import Job
from stream.verification.blobs import Blob
from stream.verification.recorded import Recorded
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical, content_id

ANSWER = ("logits", "predictions", "score")  # what follows from backbone, Delta, data and plan


def check_cells(run: Recorded, blobs: Mapping[str, Blob], ledger: str) -> Outcome:
    """Check every cell against the fits, and against the cells of the same task.

    * Its Delta: of an isolated learner that of the task's fit, or before that the one of row 0; of a sequential one
      the newest body with the task's head.
    * Its answer: that of every cell of this task under the same Delta; for an isolated learner therefore that of the
      day the task was learned.
    * Its plan and number of rows: those of the task, for all learners.

    A certificate stands on the cell of the day the task arrived, which must be a measured one under its fit's Delta.
    """
    outcome = Outcome()
    plans: dict[str, tuple[str, int]] = {}
    answers: dict[tuple[str, str, str], Cell] = {}
    for job, cell in _cells(run):
        task, learner = cell.task, run.facts.learners[job.learner]
        finding = partial(Finding, file=ledger, learner=job.learner, task=task, arrival=job.arrival)
        outcome.counts["before" if job.kind == "before" else cell.provenance] += 1
        expected = _delta(run, blobs, job, task)
        if expected is not None and expected != cell.delta:
            what = "this cell rests on another Delta than it must"
            outcome.findings.append(finding(what, expected=expected, found=cell.delta))
        plan = plans.setdefault(task, (cell.plan, run.facts.tasks[task]["test"]))
        if plan != (cell.plan, cell.n):
            what, found = "this cell was scored on other rows or batches than the task's", (cell.plan, cell.n)
            outcome.findings.append(finding(what, expected=f"{plan}", found=f"{found}"))
        first = answers.setdefault((job.learner, task, cell.delta), cell)
        again = first is not cell and learner.keeps_task_weights and _learned(run, job, task)
        outcome.counts["again"] += again
        for name in ANSWER:
            then, now = getattr(first, name), getattr(cell, name)
            if then != now:
                what = f"the {name} of this cell are not those of the first under the same Delta"
                outcome.findings.append(finding(what, expected=str(then), found=str(now)))
    for learner_name in run.facts.learners:
        _check_certificates(run, learner_name, ledger, outcome)
    return outcome


def _cells(run: Recorded) -> Iterator[tuple[Job, Cell]]:
    for job in run.jobs:
        event = run.events.get(job.id)
        for cell in event.cells if isinstance(event, RowEvent) else ():
            yield job, cell


def _learned(run: Recorded, job: Job, task: str) -> bool:
    """Whether the cell is of a task that had arrived."""
    return job.kind != "before" and run.place[task] <= job.arrival


def _delta(run: Recorded, blobs: Mapping[str, Blob], job: Job, task: str) -> str | None:
    """Id of the Delta that a cell must rest on; None where the ledger cannot tell, as first heads are not kept."""
    learner = run.facts.learners[job.learner]
    if not _learned(run, job, task):
        if job.kind == "before" or learner.needs_previous_fit:
            return None
        before = cells_of(run.events, "before", job.learner, 0)
        return next((cell.delta for cell in before if cell.task == task), None)
    fits = run.fits[job.learner]
    own = fits[run.place[task] - 1]
    if not isinstance(own, FitEvent):
        return None  # `check_events` tells of a cell that should not be there
    if learner.keeps_task_weights:
        return own.delta
    newest = good(fits[: job.arrival])[-1]
    if newest.delta not in blobs:
        return None  # its file is damaged, and told of
    digests = answering(newest.digests, own.digests, task)
    return content_id("delta", canonical(digests), canonical(sorted(blobs[newest.delta].pruned)))


def _check_certificates(run: Recorded, learner: str, ledger: str, outcome: Outcome) -> None:
    proven = 0  # arrivals, from the first on, looked at already
    for arrival in run.place.values():
        row = row_of(run.events, "evaluate", learner, arrival)
        if row is None or not row.certified:
            continue
        outcome.counts["certified"] += row.certified
        for task in run.facts.order[proven : arrival - 1]:
            proven = run.place[task]
            fit = fit_of(run.events, learner, proven)
            cells = cells_of(run.events, "evaluate", learner, proven)
            day = next((cell for cell in cells if cell.task == task), None)
            if not isinstance(fit, FitEvent) or (day and (day.delta, day.provenance) == (fit.delta, "measured")):
                continue
            what = "certified without a cell measured on the day the task arrived"
            found = day.delta if day else "no cell"
            outcome.findings.append(Finding(what, ledger, learner, task, arrival, expected=fit.delta, found=found))
