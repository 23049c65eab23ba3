"""Evaluates cells and validation scores again from the stored Deltas and compares them with the ledger."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import pinned_backbone
from learners.device import CPU, device_named
from stream.engine.jobs import fit_ids
from stream.execution.job import execute
from stream.execution.numerics import changes, numerics
from stream.execution.result import Scored, needed
from stream.execution.workbench import Setup, Workbench, open_workbench
from stream.storage.cell import Cell
from stream.storage.events import RowEvent
from stream.storage.job import Job
from stream.storage.store import Store
from stream.verification.chain import RunFiles
from stream.verification.recorded import RecordedRun
from stream.verification.sources import encoded_of
from stream.verification.validation import (
    TURNED_ROWS,
    TURNED_SHARE,
    ValidationScore,
    score_again,
    stored,
    validation_scores,
)
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical
from tasks.errors import InputError
from tasks.metrics import scoring
from tasks.seeds import seed_of
from tasks.sources.frames import source_in


@dataclass(frozen=True, eq=False)
class DrawnCell:
    """A cell to evaluate again, and the job that evaluated it in the run."""

    job: Job
    cell: Cell


def rerun(
    files: RunFiles,
    run: RecordedRun,
    store: Store,
    count: int | None,
    seed: int,
    progress: Callable[[str], None],
) -> Outcome:
    """Evaluates cells and validation scores again and compares them with the ledger.

    With the numerics of the run, any difference is a finding. With other numerics (processor, switches, library
    versions), last bits and a few predictions may differ. That gives a note, because such a machine can neither
    confirm nor refute the run; only a score that is far away is a finding.

    Args:
        count: Number of cells, drawn from those that differ in learner, task or Delta; None takes all. The same share
            of the validation scores of fits and trials is drawn.
        seed: Seed of the draw.
        progress: Called with a text before each step.

    Raises:
        InputError: The backbone or the data of the run are not available.
    """
    outcome = Outcome()
    device = _device(run)
    here, there = numerics(run.dtype, device, run.pack), run.inputs.numerics
    same = canonical(here) == canonical(there)
    cells = draw(run, count, seed, same)
    scores = draw_scores(run, count, seed)
    kept = [each for each in scores if stored(store, each)]
    if lost := len(scores) - len(kept):
        outcome.counts["validation_lost"] = lost
        outcome.notes.append(f"{lost} validation scores were not computed again: their Deltas are not in the store")
    if not cells and not kept:
        outcome.notes.append("there is no cell to evaluate again yet")
        return outcome
    if not same:
        outcome.notes.append(f"other arithmetic than in the run: {changes(there, here)}")
    progress(f"loading backbone {run.facts.backbone['name']}")
    backbone = load_backbone(pinned_backbone(run.facts.backbone), run.dtype)
    if backbone.id != run.inputs.backbone:
        what = "the backbone differs from that of the run"
        expected, found = run.inputs.backbone, backbone.id
        outcome.findings.append(Finding(what, backbone.name, expected=expected, found=found))
        return outcome
    threads = torch.get_num_threads()
    try:
        tasks = dict.fromkeys([*(drawn.cell.task for drawn in cells), *(each.task for each in kept)])
        workbench = open_workbench(_setup(files, run, store, tasks, backbone, device, progress), backbone)
        for number, drawn in enumerate(cells, start=1):
            progress(f"cell {number} of {len(cells)}: {drawn.job.learner}, {drawn.cell.task}")
            _evaluate_again(run, workbench, drawn, same, outcome)
        for number, each in enumerate(kept, start=1):
            progress(f"validation score {number} of {len(kept)}: {each.learner}, {each.task}")
            score_again(run, workbench, each, same, outcome)
    finally:
        torch.set_num_threads(threads)
    if not same:
        equal = outcome.counts["cells"] - outcome.counts["last_bits"]
        outcome.notes.append(
            f"under this other arithmetic, {equal} of {outcome.counts['cells']} cells have equal logits, and "
            f"{outcome.counts['turned']} have other predictions; only the arithmetic of the run can prove equality"
        )
        if others := outcome.counts["other_validation_scores"]:
            outcome.notes.append(f"under this other arithmetic, {others} validation scores are not exactly equal")
    return outcome


def draw(run: RecordedRun, count: int | None, seed: int, same: bool) -> list[DrawnCell]:
    """Draws the cells to evaluate again, in the order of the run: of cells with equal learner, task and Delta, only the
    first one can be drawn.

    Args:
        count: Number of cells; None takes all.
        same: Whether the numerics are those of the run. If not, cells before training are left out: their Delta is not
            stored but drawn again, which other numerics may change.
    """
    distinct: dict[tuple[str, str, str], DrawnCell] = {}
    for job in run.jobs:
        event = run.events.get(job.id)
        for cell in event.cells if isinstance(event, RowEvent) else ():
            if same or (job.kind != "before" and run.place[cell.task] <= job.arrival):
                distinct.setdefault((job.learner, cell.task, cell.delta), DrawnCell(job, cell))
    cells = [*distinct.values()]
    if count is None or count >= len(cells):
        return cells
    chosen = random.Random(seed_of(seed, "rerun")).sample(range(len(cells)), count)
    return [cells[index] for index in sorted(chosen)]


def draw_scores(run: RecordedRun, count: int | None, seed: int) -> list[ValidationScore]:
    """Draws the validation scores to compute again, in the order of the run: the same share of them, rounded up, as of
    the cells.

    Args:
        count: Number of cells; None takes all.
    """
    scores, cells = validation_scores(run), len(draw(run, None, seed, same=True))
    if count is None or count >= cells:
        return scores
    number = math.ceil(len(scores) * count / cells)
    chosen = random.Random(seed_of(seed, "rerun", "validation")).sample(range(len(scores)), number)
    return [scores[index] for index in sorted(chosen)]


def _setup(
    files: RunFiles,
    run: RecordedRun,
    store: Store,
    tasks: Iterable[str],
    backbone: Backbone,
    device: str,
    progress: Callable[[str], None],
) -> Setup:
    """Returns the setup of the run on this machine."""
    inputs, config = run.inputs, files.config
    assert config is not None  # `read_run_files` reports settings that cannot be read, and then nothing is rerun
    config = config.model_copy(update={"source": source_in(config.source, files.folder)})
    data = {task: str(encoded_of(run, task, config, backbone, progress)) for task in tasks}
    return Setup(
        backbone=backbone.name,
        backbone_id=inputs.backbone,
        dtype=run.dtype,
        device=device,
        pack=run.pack,
        learners=tuple(inputs.learners),
        overrides=run.header.overrides,
        data=data,
        store=str(store.root),
        seed=inputs.seed,
        data_seed=inputs.sample_seed,
        train_examples=inputs.train_examples,
        test_examples=inputs.test_examples,
        validation_examples=inputs.validation_examples,
    )


def _evaluate_again(run: RecordedRun, workbench: Workbench, drawn: DrawnCell, same: bool, outcome: Outcome) -> None:
    job, then = drawn.job, drawn.cell
    finding = partial(Finding, file="ledger.jsonl", learner=job.learner, task=then.task, arrival=job.arrival)
    needs = fit_ids(job.learner, job.arrival)
    alone = Job("before" if job.kind == "before" else "evaluate", job.learner, job.arrival, (then.task,), needs)
    results = {need: needed(run.events[need]) for need in needs}
    workbench.activation_cache.states.clear()  # evaluated again means: every layer, also for a partly measured cell
    scored = execute(workbench, alone, results, lambda values: None)
    assert isinstance(scored, Scored)
    (now,) = scored.cells
    outcome.counts["cells"] += 1

    how = scoring(workbench.data(then.task).task)
    if other := run.inputs.scoring.get(then.task, how) != how:
        note = f"what computes the scores of {then.task} differs from the run: they are not compared, its logits are"
        outcome.notes += [] if note in outcome.notes else [note]
    if same:
        error = () if then.error is None else ("error",)  # earlier versions did not write it
        for name in ("delta", "plan", "logits", "predictions", *(() if other else ("score", *error))):
            before, after = getattr(then, name), getattr(now, name)
            if before != after:
                what = f"evaluated again, this cell has another {name} than in the ledger"
                outcome.findings.append(finding(what, expected=str(before), found=str(after)))
                return
        return
    outcome.counts["last_bits"] += now.logits != then.logits
    outcome.counts["turned"] += now.predictions != then.predictions
    if other:
        return
    if now.score is not None and then.score is not None:
        if abs(now.score - then.score) <= max(TURNED_ROWS / then.n, TURNED_SHARE):
            return
    elif now.score is then.score:  # both are None
        return
    what = "evaluated again, this cell has a score too far from that of the ledger for a difference of arithmetic"
    outcome.findings.append(finding(what, expected=str(then.score), found=str(now.score)))


def _device(run: RecordedRun) -> str:
    """Returns a device of the kind that the run used, if this machine has one; else the CPU."""
    try:
        return device_named(str(run.inputs.numerics.get("device", CPU)))
    except InputError:
        return CPU
