"""Checks headers and events: every event of a finished job has the key and recipe of its inputs, and fits its job."""

from __future__ import annotations

from dataclasses import replace

from learners.specification.recipe import recipe_of
from learners.specification.tuned import Tuned
from learners.training.formats import TRAINING_FORMAT
from stream.engine.header import is_own_config
from stream.storage.events import End, FailedFitEvent, FitEvent, JobEvent, RowEvent, SearchEvent, Violation
from stream.storage.finished import good
from stream.storage.fits import Recipe
from stream.storage.job import Job
from stream.storage.keys import fit_recipe
from stream.storage.trials import Trial
from stream.verification.chain import RunFiles
from stream.verification.recorded import RecordedRun
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical


def check_header(files: RunFiles, run: RecordedRun) -> Outcome:
    """Checks that the three places with settings of the last call agree: inputs (for keys), facts (for results) and
    config.toml; and that config.toml is byte for byte the file of that call."""
    outcome, inputs, facts = Outcome(), run.inputs, run.facts
    ledger, config = str(files.ledger.path), files.config
    pairs: list[tuple[str, str, object, object]] = [
        (ledger, "backbone", inputs.backbone, facts.backbone["id"]),
        (ledger, "order", list(inputs.data), list(facts.order)),
        (ledger, "seed", inputs.seed, facts.seed),
        (ledger, "dtype", inputs.numerics["dtype"], facts.settings["dtype"]),
        *(
            (ledger, name, getattr(inputs, name), facts.settings[name])
            for name in ("evaluate", "train_examples", "test_examples")
        ),
        (ledger, "data_seed", inputs.data_seed, facts.settings.get("data_seed")),
        (ledger, "validation_examples", inputs.validation_examples, facts.settings.get("validation_examples")),
        *((ledger, f"data of {task}", data, facts.tasks[task]["data_id"]) for task, data in inputs.data.items()),
        *((ledger, f"metric of {task}", how.split(" ")[0].rstrip(","), facts.tasks[task]["metric"])
          for task, how in inputs.scoring.items()),
    ]  # fmt: skip
    if inputs.numerics.get("training") == TRAINING_FORMAT:
        pairs += [
            (ledger, f"settings of learner {name}", inputs.learners[name], recipe_of(learner))
            for name, learner in facts.learners.items()
        ]
    else:
        outcome.notes.append("an earlier version made this run; the settings of its learners are taken from the ledger")
    if config is not None:  # only settings that must not change during a run; others may be newer than the ledger
        path = files.path("config.toml")
        pairs += [(path, name, value, getattr(config, name)) for name, value in facts.settings.items()]
        pairs += [(path, "seed", inputs.seed, config.seed), (path, "backbone", facts.backbone["name"], config.backbone)]
        pairs += [(path, name, value, getattr(config, name)) for name, value in run.header.overrides.items()]
    for file, what, expected, found in pairs:
        outcome.counts["settings"] += 1
        if canonical(expected) != canonical(found):
            shown = (str(expected)[:200], str(found)[:200])
            outcome.findings.append(
                Finding(
                    f"the files of the run give different values of {what}", file, expected=shown[0], found=shown[1]
                )
            )
    if files.config_sha256 is not None:
        outcome.counts["settings"] += 1
        if not is_own_config(files.config_sha256, files.events):
            what, path = "config.toml is not the file that the run wrote", files.path("config.toml")
            outcome.findings.append(Finding(what, path, expected=str(run.header.config), found=files.config_sha256))
    return outcome


def check_events(files: RunFiles, run: RecordedRun) -> Outcome:
    """Checks that each job of the plan has an event that fits it. If the run has not ended, missing events give a
    note."""
    outcome, ledger = Outcome(), str(files.ledger.path)
    outcome.counts["jobs"] = len(run.jobs)
    outcome.counts["events"] = len(run.events)
    outcome.counts["superseded"] = run.superseded
    missing = [job for job in run.jobs if job.id not in run.events]
    ended = isinstance(files.events[-1], End)
    if missing and ended:
        first = missing[0]
        what = f"the run ended, but the ledger has no {first.kind} event with the key of this job"
        outcome.findings.append(
            Finding(what, ledger, first.learner, first.tasks[-1], first.arrival, expected=run.inputs.key(first))
        )
    elif missing:
        outcome.notes.append(f"unfinished: {len(run.events)} of {len(run.jobs)} jobs are done")
    if run.superseded:
        outcome.notes.append(f"{run.superseded} events have inputs of an earlier call and no longer count")
    for violation in open_violations(files, run):
        what = f"the run itself found a difference, and the row was not evaluated again since: {violation.message}"
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


def open_violations(files: RunFiles, run: RecordedRun) -> list[Violation]:
    """Returns the violations that the run itself found, if their row was not evaluated again since."""
    last: dict[tuple[str, int], Violation | None] = {}
    rows = {id(event) for event in run.events.values()}
    for event in files.events:
        if isinstance(event, Violation):
            last[event.learner, event.arrival] = event
        elif id(event) in rows and isinstance(event, RowEvent) and event.kind != "before":
            last[event.learner, event.arrival] = None
    return [event for event in last.values() if event is not None and event.learner in run.facts.learners]


def _differences(run: RecordedRun, job: Job, event: JobEvent) -> list[tuple[str, object, object]]:
    """Returns what is wrong in the event of a job: message, expected value, found value."""
    pairs: list[tuple[str, object, object]] = [
        ("this event has the key of another job", [job.kind, job.learner, job.arrival],
         [event.kind, event.learner, event.arrival]),
    ]  # fmt: skip
    if not isinstance(event, RowEvent):
        pairs.append(("this fit belongs to another task", job.tasks[0], event.task))
        pairs.append(("this fit's recipe is not that of its inputs", recorded_recipe(run, job).id, event.recipe))
        return [pair for pair in pairs if pair[1] != pair[2]]
    failed = {fit.task for fit in run.fits[job.learner][: job.arrival] if isinstance(fit, FailedFitEvent)}
    tasks = [task for task in sorted(job.tasks, key=run.place.__getitem__) if task not in failed]
    cells = {cell.task: cell.provenance for cell in event.cells}
    pairs.append(("this row does not have the cells of the plan", tasks, [cell.task for cell in event.cells]))
    certifiable, newest = run.certifiable(job.learner), run.facts.order[max(job.arrival, 1) - 1]
    for task, how in cells.items():
        audited = certifiable and (job.kind == "audit" or (job.kind == "evaluate" and task != newest))
        allowed = ["audited"] if audited else ["measured", *(["partly-measured"] if _may_share(run, job) else [])]
        if certifiable and not audited:  # another run on the store may have measured it; see `check_scores`
            allowed.append("certified")
        if how not in allowed:
            pairs.append((f"this cell has a wrong provenance, task {task}", " or ".join(allowed), how))
    covered = [task for task in run.facts.order[: job.arrival] if task not in failed and task not in cells]
    certified = len(covered) if certifiable and job.kind == "evaluate" else None
    pairs.append(("this row has a wrong number of certified cells", certified, event.certified))
    return [pair for pair in pairs if pair[1] != pair[2]]


def _may_share(run: RecordedRun, job: Job) -> bool:
    """Whether a cell of this job may rest on the output of frozen layers that another cell left in the cache."""
    learner = run.facts.learners[job.learner]
    if job.kind == "before":  # learners that add nothing to the backbone share all its layers
        return replace(learner, tuned=Tuned()).may_freeze_layers
    return run.inputs.evaluate != "audited" and learner.may_freeze_layers


def recorded_recipe(run: RecordedRun, job: Job) -> Recipe:
    """Returns the recipe of a fit job, computed from the inputs in the ledger."""
    earlier = good(run.fits[job.learner][: job.arrival - 1])
    learner, event = run.facts.learners[job.learner], run.events[job.id]
    trial: Trial | None = event if isinstance(event, SearchEvent) else None
    if isinstance(event, FitEvent) and event.chosen is not None:
        trial = Trial(candidate=event.chosen, until=event.until, seed=event.seed)
    start = earlier[-1] if learner.needs_previous_fit and earlier else None
    return fit_recipe(run.inputs, learner, job, start, earlier, trial)
