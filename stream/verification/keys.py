"""Keys and recipes: every event of a finished job stands under the hash of its inputs, and is that of its job."""

from __future__ import annotations

from learners.specification.recipe import recipe_of
from stream.storage.events import End, FailedFitEvent, JobEvent, RowEvent, Violation
from stream.storage.finished import good
from stream.storage.fits import Recipe
from stream.storage.job import Job
from stream.storage.keys import history
from stream.verification.chain import RunFiles
from stream.verification.recorded import Recorded
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical


def check_header(evidence: RunFiles, run: Recorded) -> Outcome:
    """What the last call says of itself, in its three places: inputs (for keys), facts (for results), config.toml."""
    outcome, inputs, facts = Outcome(), run.inputs, run.facts
    ledger, config = str(evidence.ledger.path), evidence.config
    said: list[tuple[str, str, object, object]] = [
        (ledger, "backbone", inputs.backbone, facts.backbone["id"]),
        (ledger, "order", list(inputs.data), list(facts.order)),
        (ledger, "seed", inputs.seed, facts.seed),
        (ledger, "dtype", inputs.numerics["dtype"], facts.settings["dtype"]),
        *(
            (ledger, name, getattr(inputs, name), facts.settings[name])
            for name in ("evaluate", "train_examples", "test_examples")
        ),
        (ledger, "validation_examples", inputs.validation_examples, facts.settings.get("validation_examples")),
        *((ledger, f"data of {task}", data, facts.tasks[task]["data_id"]) for task, data in inputs.data.items()),
        *(
            (ledger, f"settings of learner {name}", inputs.learners[name], recipe_of(learner))
            for name, learner in facts.learners.items()
        ),
    ]
    if config is not None:  # of what may not change while a run goes on; the rest may be newer than the ledger
        path = evidence.path("config.toml")
        said += [(path, name, value, getattr(config, name)) for name, value in facts.settings.items()]
        said += [(path, "seed", inputs.seed, config.seed), (path, "backbone", facts.backbone["name"], config.backbone)]
        said += [
            (path, name, value, getattr(config, name)) for name, value in run.header.overrides.items()
        ]  # the training settings of all learners
    for file, what, expected, found in said:
        outcome.counts["settings"] += 1
        if canonical(expected) != canonical(found):
            shown = (str(expected)[:200], str(found)[:200])
            outcome.findings.append(
                Finding(f"what is said twice differs: {what}", file, expected=shown[0], found=shown[1])
            )
    return outcome


def check_events(evidence: RunFiles, run: Recorded) -> Outcome:
    """Each job of the plan has its event, or the run is told to be unfinished; each event is that of its job."""
    outcome, ledger = Outcome(), str(evidence.ledger.path)
    outcome.counts["jobs"] = len(run.jobs)
    outcome.counts["events"] = len(run.events)
    outcome.counts["superseded"] = run.superseded
    missing = [job for job in run.jobs if job.id not in run.events]
    ended = isinstance(evidence.events[-1], End)
    if missing and ended:
        first = missing[0]
        what = f"the run ended, and no {first.kind} event stands under the key of this job's inputs"
        outcome.findings.append(
            Finding(what, ledger, first.learner, first.tasks[-1], first.arrival, expected=run.inputs.key(first))
        )
    elif missing:
        outcome.notes.append(f"unfinished: {len(run.events)} of {len(run.jobs)} jobs are done")
    if run.superseded:
        outcome.notes.append(f"{run.superseded} events rest on inputs of an earlier call and count no more")
    for violation in open_violations(evidence, run):
        what = f"the run itself found a difference that no later row took back: {violation.message}"
        outcome.findings.append(Finding(what, ledger, violation.learner, violation.task, violation.arrival))
    for job in run.jobs:
        if (event := run.events.get(job.id)) is not None:
            for what, expected, found in _differences(run, job, event):
                task = job.tasks[0] if job.kind == "fit" else None
                shown = (str(expected), str(found))
                outcome.findings.append(
                    Finding(what, ledger, job.learner, task, job.arrival, expected=shown[0], found=shown[1])
                )
    return outcome


def open_violations(evidence: RunFiles, run: Recorded) -> list[Violation]:
    """Differences that the run met itself, and whose row was not done again since."""
    last: dict[tuple[str, int], Violation | None] = {}
    rows = {id(event) for event in run.events.values()}
    for event in evidence.events:
        if isinstance(event, Violation):
            last[event.learner, event.arrival] = event
        elif id(event) in rows and isinstance(event, RowEvent) and event.kind != "before":
            last[event.learner, event.arrival] = None
    return [event for event in last.values() if event is not None and event.learner in run.facts.learners]


def _differences(run: Recorded, job: Job, event: JobEvent) -> list[tuple[str, object, object]]:
    said: list[tuple[str, object, object]] = [
        ("this event is not of the job whose key it bears", [job.kind, job.learner, job.arrival],
         [event.kind, event.learner, event.arrival]),
    ]  # fmt: skip
    if not isinstance(event, RowEvent):
        said.append(("this fit is of another task", job.tasks[0], event.task))
        said.append(("this fit's recipe is not that of its inputs", recorded_recipe(run, job).id, event.recipe))
        return [entry for entry in said if entry[1] != entry[2]]
    failed = {fit.task for fit in run.fits[job.learner][: job.arrival] if isinstance(fit, FailedFitEvent)}
    tasks = [task for task in sorted(job.tasks, key=run.place.__getitem__) if task not in failed]
    cells = {cell.task: cell.provenance for cell in event.cells}
    said.append(("this row does not hold the cells of its plan", tasks, [cell.task for cell in event.cells]))
    certifiable, newest = run.certifiable(job.learner), run.facts.order[max(job.arrival, 1) - 1]
    for task, how in cells.items():
        again = certifiable and (job.kind == "audit" or (job.kind == "evaluate" and task != newest))
        said.append(
            (f"this cell's provenance may not be claimed, task {task}", "audited" if again else "measured", how)
        )
    covered = [task for task in run.facts.order[: job.arrival] if task not in failed and task not in cells]
    rightly = len(covered) if certifiable and job.kind == "evaluate" else None
    said.append(("this row claims another number of certified cells than it may", rightly, event.certified))
    return [entry for entry in said if entry[1] != entry[2]]


def recorded_recipe(run: Recorded, job: Job) -> Recipe:
    """The recipe of a job's fit, from what the ledger says of its inputs."""
    before = good(run.fits[job.learner][: job.arrival - 1])
    learner = run.facts.learners[job.learner]
    met = history(learner, before, run.inputs.data)
    return run.inputs.recipe(job, before[-1].delta if learner.needs_previous_fit and before else None, met)
