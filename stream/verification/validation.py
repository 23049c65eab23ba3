"""Computes validation scores again from stored Deltas: the scores that choose epochs and alternatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from learners.forward.batches import evaluation_plan
from learners.specification.alternatives import task_learner
from learners.specification.learner import LOOP, Learner
from learners.training.predict import predict
from stream.execution.evaluate_job import scorer
from stream.execution.workbench import Workbench
from stream.storage.events import FitEvent, SearchEvent
from stream.storage.fits import LearnedTask
from stream.storage.store import Store
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.metrics import scoring

# Other arithmetic changes last bits, and so turns predictions that were nearly ties, but not many: a score that differs
# by more than both of these is a finding on any machine.
TURNED_ROWS, TURNED_SHARE = 4, 0.05


@dataclass(frozen=True, eq=False)
class ValidationScore:
    """The score that the ledger gives to the kept epoch of a fit or a trial.

    Attributes:
        learner: Specification of the learner of the run.
        task: Name of the task; of a trial on a twin, the name of the twin within the run.
        arrival: Arrival of the job.
        event: Event of the fit or the trial.
        fitted: The learner that was fitted: of a learner with alternatives, one of these.
        score: The score in the ledger, a fraction.
    """

    learner: str
    task: str
    arrival: int
    event: FitEvent | SearchEvent
    fitted: Learner
    score: float


def validation_scores(run: RecordedRun) -> list[ValidationScore]:
    """Returns the scores that can be computed again, in the order of the run; of equal scores of one fit, the first.

    Only fits of our own training loop: another trainer may give a score that is not that of the Delta alone, for
    example a mean over all tasks so far.
    """
    distinct: dict[tuple[str, str, float], ValidationScore] = {}
    for each in _recorded(run):
        if each.fitted.trainer == LOOP:
            distinct.setdefault((each.event.recipe, str(each.event.delta), each.score), each)
    return [*distinct.values()]


def _recorded(run: RecordedRun) -> Iterator[ValidationScore]:
    for job in run.jobs:
        event, learner = run.events.get(job.id), run.facts.learners[job.learner]
        about = (job.learner, job.tasks[0], job.arrival)
        if isinstance(event, FitEvent) and 0 <= event.best < len(event.validation):
            yield ValidationScore(*about, event, task_learner(learner, event.chosen), event.validation[event.best])
        elif isinstance(event, SearchEvent) and event.delta is not None and event.score is not None:
            assert learner.selection is not None
            yield ValidationScore(*about, event, learner.selection[event.candidate].learner, event.score)


def stored(store: Store, each: ValidationScore) -> bool:
    """Whether the store has the Delta of a score."""
    return store.delta_path(str(each.event.delta)).is_file()


def score_again(run: RecordedRun, workbench: Workbench, each: ValidationScore, same: bool, outcome: Outcome) -> None:
    """Computes a validation score again and compares it with the ledger.

    Args:
        same: Whether the numerics are those of the run. If so, the score must be equal; if not, it must be near.
    """
    data, event = workbench.data(each.task), each.event
    how = scoring(data.task)
    outcome.counts["validation_scores"] += 1
    if run.inputs.scored_data(each.task)[2:] not in ([], [how]):
        note = f"what computes the scores of {each.task} differs from the run"
        if not any(known.startswith(note) for known in outcome.notes):
            outcome.notes.append(f"{note}: its validation scores are not compared")
        return
    digests = event.digests if isinstance(event, FitEvent) else {}
    learned = LearnedTask(task=each.task, delta=str(event.delta), digests=digests)
    delta, split = workbench.store.get_delta(learned), data.validation
    logits = predict(workbench.backbone, each.fitted, delta, split, evaluation_plan(split))
    now = scorer(data.task)(np.asarray(split.target), logits)
    finding = partial(
        Finding, file="ledger.jsonl", learner=each.learner, task=each.task, arrival=each.arrival,
        expected=str(each.score), found=str(now),
    )  # fmt: skip
    named = f"trial {event.trial}, {event.candidate}" if isinstance(event, SearchEvent) else "this fit"
    if same and now != each.score:
        what = f"computed again from its Delta, the validation score of {named} is not that of the ledger"
        outcome.findings.append(finding(what))
    elif abs(now - each.score) > max(TURNED_ROWS / len(split), TURNED_SHARE):
        what = f"the validation score of {named} is too far from that of the ledger for a difference of arithmetic"
        outcome.findings.append(finding(what))
    elif now != each.score:
        outcome.counts["other_validation_scores"] += 1
