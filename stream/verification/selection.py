"""Checks selection: each choice follows from validation scores alone, and it stands before any test score.

The trials are what the method of the search proposes given the results before them; the fit of a task keeps what wins
among the recorded scores; and in the ledger the trials of a task stand before its fit, and its fit before any cell. A
learner that chooses inside its fit keeps a model with the highest of its scores (of equal ones, the fit takes that with
the lower loss, which the ledger does not have), and its fit stands before any cell of the task too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from learners.specification.learner import Learner, Selection
from stream.execution.trial_job import kept_trial, trial_of
from stream.selection.choice import candidates_inside, chooses
from stream.selection.sampler import same_trials
from stream.storage.events import FailedFitEvent, FitEvent, Header, RowEvent, SearchEvent
from stream.storage.fits import DIVERGED
from stream.storage.job import Job, JobId
from stream.storage.store import Store, fit_of, read_record
from stream.storage.trials import Trial
from stream.verification.chain import RunFiles
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.errors import InputError

# What the fit of a recipe is, whoever made it; its duration is left out.
_REPEATABLE = ("delta", "validation", "score", "parameters", "flops", "examples")


def check_selection(files: RunFiles, run: RecordedRun, store: Store) -> Outcome:
    """Checks every learner that chooses.

    Args:
        store: Store of the run. A trial whose record it lacks is compared with the ledger alone.
    """
    outcome, ledger = Outcome(), str(files.ledger.path)
    choosing = {name: learner for name, learner in run.facts.learners.items() if chooses(learner)}
    learners = {name: learner for name, learner in choosing.items() if learner.selection is not None}
    known: dict[str, tuple[object, ...]] = {}  # facts of each recipe, from the first event that has it
    for name in learners:
        if not same_trials(_selection(learners[name]), run.facts.environment):
            outcome.notes.append(f"the trials that Optuna proposed to {name} were not repeated: it has another version")
    for job in run.jobs:
        event = run.events.get(job.id)
        if (count := candidates_inside(run.facts.learners[job.learner])) and isinstance(event, FitEvent):
            outcome.counts["choices"] += 1
            outcome.counts["trials"] += count
            finding = partial(Finding, file=ledger, learner=job.learner, task=event.task, arrival=job.arrival)
            outcome.findings += [
                finding(what, expected=str(a)[:200], found=str(b)[:200]) for what, a, b in _inside(count, event)
            ]
        if job.learner not in learners or event is None or isinstance(event, RowEvent):
            continue
        selection = _selection(learners[job.learner])
        finding = partial(Finding, file=ledger, learner=job.learner, task=job.tasks[0], arrival=job.arrival)
        results = {need: run.events[need] for need in job.needs}
        found: Iterator[tuple[str, object, object]]
        if isinstance(event, SearchEvent):
            outcome.counts["trials"] += 1
            found = _trial_differences(run, job, selection, event, results, store)
        else:
            outcome.counts["choices"] += 1
            found = _choice_differences(job, selection, event, results)
        pairs = [*found, *_same_recipe(known, event)]
        outcome.findings += [finding(what, expected=str(a)[:200], found=str(b)[:200]) for what, a, b in pairs]
    outcome.findings += _order_findings(files, run, choosing, ledger)
    return outcome


def _inside(count: int, event: FitEvent) -> Iterator[tuple[str, object, object]]:
    """What is wrong in the choice that a fit made among its own models: message, expected value, found value."""
    if len(event.validation) != count:
        yield "this fit does not have a validation score for each of its models", count, len(event.validation)
    elif not 0 <= event.best < count or event.validation[event.best] != max(event.validation):
        best = event.validation.index(max(event.validation))
        yield "this fit does not keep the model that is best on the validation rows", best, event.best


def _selection(learner: Learner) -> Selection:
    assert learner.selection is not None
    return learner.selection


def _trial_differences(
    run: RecordedRun,
    job: Job,
    selection: Selection,
    event: SearchEvent,
    results: Mapping[JobId, object],
    store: Store,
) -> Iterator[tuple[str, object, object]]:
    """What is wrong in the event of a trial: message, expected value, found value."""
    if same_trials(selection, run.facts.environment):
        expected = trial_of(job, selection, run.inputs.seed, results)  # type: ignore[arg-type]
        found = Trial(candidate=event.candidate, until=event.until, seed=event.seed)
        if expected != found:
            yield (
                f"trial {event.trial} is not the one that the search makes from the results before it",
                expected,
                found,
            )
    if event.trial != job.trial:
        yield "this trial has the number of another one", job.trial, event.trial
    if event.failed is not None:
        if event.score is not None:
            yield f"trial {event.trial} failed, and has a score", None, event.score
        return
    learner = selection[event.candidate].learner
    scores = [event.score] if learner.pruning else [max(event.validation, default=None)]
    if event.score not in (event.validation or (None,)) or event.score not in scores:
        what = f"the score of trial {event.trial} is not its best validation score"
        yield what, max(event.validation, default=None), event.score
    try:
        record = fit_of(read_record(path := store.fit_path(event.recipe)), path)
    except (FileNotFoundError, InputError):  # `check_store` reports damaged records
        return
    stored = (record.delta, record.validation, record.validation[record.best] if record.best >= 0 else None,
              record.kept_parameters, record.flops, record.examples)  # fmt: skip
    for name, ours, theirs in zip(_REPEATABLE, _facts_of(event), stored, strict=True):
        if ours != theirs:
            what = f"the ledger and the store differ in the {name.replace('_', ' ')} of trial {event.trial}"
            yield what, theirs, ours


def _choice_differences(
    job: Job, selection: Selection, event: FitEvent | FailedFitEvent, results: Mapping[JobId, object]
) -> Iterator[tuple[str, object, object]]:
    """What is wrong in the choice of a fit: message, expected value, found value."""
    kept = kept_trial(job, selection, results)  # type: ignore[arg-type]
    if isinstance(event, FitEvent):
        found = None if event.chosen is None else Trial(candidate=event.chosen, until=event.until, seed=event.seed)
        if found != kept:
            yield "this fit does not keep the alternative that is best on the validation rows", kept, found
    elif kept is not None and event.failed.type == DIVERGED and selection.scope == "task":
        yield "the ledger says that every alternative failed, but one did not", kept, event.failed.message


def _same_recipe(
    known: dict[str, tuple[object, ...]], event: SearchEvent | FitEvent | FailedFitEvent
) -> Iterator[tuple[str, object, object]]:
    """Trials and fits of one recipe are one fit, so their facts are equal."""
    if isinstance(event, FailedFitEvent) or event.delta is None:
        return
    facts = _facts_of(event)
    first = known.setdefault(event.recipe, facts)
    for name, expected, found in zip(_REPEATABLE, first, facts, strict=True):
        if expected != found:
            yield f"two events of one fit differ in its {name}", expected, found


def _facts_of(event: SearchEvent | FitEvent) -> tuple[object, ...]:
    if isinstance(event, SearchEvent):
        score, parameters = event.score, event.parameters
    else:
        score, parameters = event.validation[event.best] if event.best >= 0 else None, event.kept_parameters
    return event.delta, event.validation, score, parameters, event.flops, event.examples


def _order_findings(
    files: RunFiles, run: RecordedRun, learners: Mapping[str, Learner], ledger: str
) -> Iterator[Finding]:
    """Every line that stands before one on which it rests, also among events that no longer count.

    A cell of a task must stand after a fit of its learner on this task, and a fit after its trials. No learner has a
    cell that no call of the run has named: an alternative is no learner of the run, unless the user gave it too.
    """
    line = {id(event): number for number, event in enumerate(files.events)}
    named: set[str] = set()
    fitted: set[tuple[str, str]] = set()
    for event in files.events:
        if isinstance(event, Header):
            named |= set(event.inputs.learners)
        elif isinstance(event, FitEvent | FailedFitEvent):
            fitted.add((event.learner, event.task))
        elif isinstance(event, RowEvent):
            finding = partial(Finding, file=ledger, learner=event.learner, arrival=event.arrival)
            if event.learner not in named:
                yield finding("test rows were scored with a learner that the run does not have")
            early = [c.task for c in event.cells if event.learner in learners and (event.learner, c.task) not in fitted]
            if early:
                yield finding("test rows of a task were scored before its winner was chosen", task=early[0])
    keys = {
        job.id: run.inputs.key(job) for job in run.jobs if job.learner in learners and job.kind in ("search", "fit")
    }
    first: dict[str, int] = {}
    for number, event in enumerate(files.events):
        first.setdefault(getattr(event, "key", ""), number)
    for job in run.jobs:
        if job.kind not in ("search", "fit") or job.id not in keys or keys[job.id] not in first:
            continue
        counted = run.events.get(job.id)
        own = first[keys[job.id]] if counted is None else line[id(counted)]
        for need in job.needs:
            before = run.events.get(need)
            at = first.get(keys[need]) if before is None else line[id(before)]
            if at is None or at > own:
                what = "a choice stands in the ledger before a trial on which it rests"
                found = "no such trial" if at is None else f"line {at + 1}, after line {own + 1}"
                yield Finding(what, ledger, job.learner, job.tasks[0], job.arrival, expected=need, found=found)
