"""Checks the cells of R: each uses the right Delta, and equal inputs gave exactly equal logits and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from learners.delta.delta import answering
from learners.delta.stored import StoredDelta
from stream.storage.cell import Cell
from stream.storage.events import FitEvent, RowEvent
from stream.storage.finished import cells_of, fit_of, good, row_of
from stream.storage.job import Job
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical, content_id

FIRST = ("measured", "certified")  # provenance of the first cell of a task, on which certificates rest
OUTPUTS = ("logits", "predictions", "score")  # they follow from backbone, Delta, data and plan


def check_cells(run: RecordedRun, deltas: Mapping[str, StoredDelta], ledger: str) -> Outcome:
    """Checks every cell against the fits, and against other cells of the same task.

    * Delta: for an isolated learner, that of the task's fit (before the task arrived: that of row 0). For a sequential
      learner, the newest body with the task's head.
    * Logits, predictions and score: equal in all cells of the task with the same Delta. So an isolated learner has the
      same ones as when the task was learned.
    * Number of rows: equal for all learners. So is the plan, but in a run with packs: learners that cannot be packed
      have another one there, and so may have the alternatives of one learner.

    A certified cell needs the cell of the task's arrival, with the Delta of the task's fit: measured in this run, or
    certified by the store (`check_scores`).

    Args:
        deltas: The intact Deltas of the store, by content id.
        ledger: Path of the ledger, for findings.
    """
    outcome = Outcome()
    plans: dict[tuple[str, ...], tuple[str, int]] = {}
    answers: dict[tuple[str, str, str], Cell] = {}
    for job, cell in _cells(run):
        task, learner = cell.task, run.facts.learners[job.learner]
        finding = partial(Finding, file=ledger, learner=job.learner, task=task, arrival=job.arrival)
        outcome.counts["before" if job.kind == "before" else cell.provenance] += 1
        expected = _delta(run, deltas, job, task)
        if expected is not None and expected != cell.delta:
            what = "this cell was evaluated with another Delta than it must be"
            outcome.findings.append(finding(what, expected=expected, found=cell.delta))
        alternatives = run.facts.learners[job.learner].selection is not None
        common = (task,) if run.pack == 1 else (task, job.learner, cell.delta if alternatives else "")
        plan = plans.setdefault(common, (cell.plan, run.facts.tasks[task]["test"]))
        if plan != (cell.plan, cell.n):
            what = "this cell was evaluated on other rows or batches than other cells of the task"
            found = (cell.plan, cell.n)
            outcome.findings.append(finding(what, expected=f"{plan}", found=f"{found}"))
        first = answers.setdefault((job.learner, task, cell.delta), cell)
        again = first is not cell and learner.keeps_task_weights and _learned(run, job, task)
        outcome.counts["again"] += again
        for name in OUTPUTS:
            expected_value, found_value = getattr(first, name), getattr(cell, name)
            if expected_value != found_value:
                differ = "differs" if name == "score" else "differ"
                what = f"the {name} of this cell {differ} from the first cell with the same Delta"
                outcome.findings.append(finding(what, expected=str(expected_value), found=str(found_value)))
    for learner_name in run.facts.learners:
        _check_certificates(run, learner_name, ledger, outcome)
    return outcome


def _cells(run: RecordedRun) -> Iterator[tuple[Job, Cell]]:
    for job in run.jobs:
        event = run.events.get(job.id)
        for cell in event.cells if isinstance(event, RowEvent) else ():
            yield job, cell


def _learned(run: RecordedRun, job: Job, task: str) -> bool:
    """Whether a cell belongs to a task that had arrived."""
    return job.kind != "before" and run.place[task] <= job.arrival


def _delta(run: RecordedRun, deltas: Mapping[str, StoredDelta], job: Job, task: str) -> str | None:
    """Returns the id of the Delta that a cell must use; None if the ledger does not determine it, because initial heads
    are not stored."""
    learner = run.facts.learners[job.learner]
    if not _learned(run, job, task):
        if job.kind == "before" or learner.needs_previous_fit:
            return None
        before = cells_of(run.events, "before", job.learner, 0)
        return next((cell.delta for cell in before if cell.task == task), None)
    fits = run.fits[job.learner]
    own = fits[run.place[task] - 1]
    if not isinstance(own, FitEvent):
        return None  # `check_events` reports a cell that should not exist
    if learner.keeps_task_weights:
        return own.delta
    newest = good(fits[: job.arrival])[-1]
    if newest.delta not in deltas:
        return None  # its file is damaged, which `check_store` reports
    digests = answering(newest.digests, own.digests, task)
    return content_id("delta", canonical(digests), canonical(sorted(deltas[newest.delta].pruned)))


def _check_certificates(run: RecordedRun, learner: str, ledger: str, outcome: Outcome) -> None:
    proven = 0  # number of arrivals that are already checked, from the first on
    for arrival in run.place.values():
        row = row_of(run.events, "evaluate", learner, arrival)
        if row is None or not row.certified:
            continue
        outcome.counts["certified"] += row.certified
        for task in run.facts.order[proven : arrival - 1]:
            proven = run.place[task]
            fit = fit_of(run.events, learner, proven)
            cells = cells_of(run.events, "evaluate", learner, proven)
            first = next((cell for cell in cells if cell.task == task), None)
            if not isinstance(fit, FitEvent) or (first and first.delta == fit.delta and first.provenance in FIRST):
                continue
            what = "certified, but no cell was measured with the Delta of the task's fit when the task arrived"
            found = first.delta if first else "no cell"
            outcome.findings.append(Finding(what, ledger, learner, task, arrival, expected=fit.delta, found=found))
