"""The cells of R: each rests on the Delta it may rest on, and equal inputs gave equal answers, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from learners.delta.delta import answering
from stream.storage.job import Job, JobId
from stream.verification.blobs import Blob
from stream.verification.recorded import Event, Recorded
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
    answers: dict[tuple[str, str, str], Event] = {}
    for job, cell in _cells(run):
        task, learner = cell["task"], run.facts.learners[job.learner]
        about: dict[str, Any] = {"file": ledger, "learner": job.learner, "task": task, "arrival": job.arrival}
        outcome.counts["before" if job.kind == "before" else cell["provenance"]] += 1
        expected = _delta(run, blobs, job, task)
        if expected is not None and expected != cell["delta"]:
            what = "this cell rests on another Delta than it must"
            outcome.findings.append(Finding(what, **about, expected=expected, found=cell["delta"]))
        plan = plans.setdefault(task, (cell["plan"], run.facts.tasks[task]["test"]))
        if plan != (cell["plan"], cell["n"]):
            what, found = "this cell was scored on other rows or batches than the task's", (cell["plan"], cell["n"])
            outcome.findings.append(Finding(what, **about, expected=f"{plan}", found=f"{found}"))
        first = answers.setdefault((job.learner, task, cell["delta"]), cell)
        again = first is not cell and learner.keeps_task_weights and _learned(run, job, task)
        outcome.counts["again"] += again
        for name in ANSWER:
            if first[name] != cell[name]:
                what = f"the {name} of this cell are not those of the first under the same Delta"
                shown = (str(first[name]), str(cell[name]))
                outcome.findings.append(Finding(what, **about, expected=shown[0], found=shown[1]))
    for learner_name in run.facts.learners:
        _check_certificates(run, learner_name, ledger, outcome)
    return outcome


def _cells(run: Recorded) -> Iterator[tuple[Job, Event]]:
    for job in run.jobs:
        if job.kind != "fit" and job.id in run.events:
            for cell in run.events[job.id]["cells"]:
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
        before = run.events.get(JobId.of("before", job.learner, 0), {}).get("cells", ())
        return next((str(cell["delta"]) for cell in before if cell["task"] == task), None)
    fits = run.fits[job.learner]
    own = fits[run.place[task] - 1]
    if own is None or "failed" in own:
        return None  # `check_events` tells of a cell that should not be there
    if learner.keeps_task_weights:
        return str(own["delta"])
    newest = next(fit for fit in reversed(fits[: job.arrival]) if fit is not None and "failed" not in fit)
    if newest["delta"] not in blobs:
        return None  # its file is damaged, and told of
    digests = answering(newest["digests"], own["digests"], task)
    return content_id("delta", canonical(digests), canonical(sorted(blobs[newest["delta"]].pruned)))


def _check_certificates(run: Recorded, learner: str, ledger: str, outcome: Outcome) -> None:
    proven = 0  # arrivals, from the first on, looked at already
    for arrival in run.place.values():
        row = run.events.get(JobId.of("evaluate", learner, arrival), {})
        if not row.get("certified"):
            continue
        outcome.counts["certified"] += row["certified"]
        for task in run.facts.order[proven : arrival - 1]:
            proven = run.place[task]
            fit = run.events[JobId.of("fit", learner, proven)]
            cells = run.events.get(JobId.of("evaluate", learner, proven), {}).get("cells", ())
            day: Event = next((cell for cell in cells if cell["task"] == task), {})
            if "failed" in fit or (day.get("delta"), day.get("provenance")) == (fit["delta"], "measured"):
                continue
            what = "certified without a cell measured on the day the task arrived"
            found = str(day.get("delta", "no cell"))
            outcome.findings.append(Finding(what, ledger, learner, task, arrival, expected=fit["delta"], found=found))
