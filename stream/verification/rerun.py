"""Cells evaluated again from the stored Deltas: do they still give the logits and predictions of the ledger?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import pinned_backbone
from stream.engine.header import changes
from stream.engine.jobs import fit_ids
from stream.execution.job import execute
from stream.execution.result import Scored, needed
from stream.execution.workbench import Setup, Workbench, numerics, open_workbench
from stream.storage.cell import Cell
from stream.storage.events import RowEvent
from stream.storage.job import Job
from stream.storage.store import Store
from stream.verification.chain import RunFiles
from stream.verification.recorded import Recorded
from stream.verification.sources import encoded_of
from stream.verification.verdict import Finding, Outcome
from tasks.content import canonical
from tasks.seeds import seed_of
from tasks.sources.frames import source_in

# Regression answers with the logits themselves, whose last bits other arithmetic moves; scores are shown to a tenth of
# a percent.
SAME_SCORE = 1e-3


@dataclass(frozen=True, eq=False)
class Drawn:
    """A cell to evaluate again: of a row, by its job."""

    job: Job
    cell: Cell


def rerun(
    evidence: RunFiles,
    run: Recorded,
    store: Store,
    count: int | None,
    seed: int,
    progress: Callable[[str], None],
) -> Outcome:
    """Evaluate cells again and compare.

    Under the arithmetic of the run any difference is a finding. Under another one (`numerics`: machine, instructions,
    library versions) last bits may differ, which is told; answers that differ are a finding, and are no evidence of
    forgetting.

    Args:
        count: How many cells, drawn by `seed` from those that differ in learner, task or Delta; None takes all.

    Raises:
        InputError: The backbone or the data of the run are not to be had here.
    """
    outcome = Outcome()
    here, there = numerics(run.dtype), run.inputs.numerics
    same = canonical(here) == canonical(there)
    cells = draw(run, count, seed, same)
    if not cells:
        outcome.notes.append("no cell to evaluate again yet")
        return outcome
    if not same:
        outcome.notes.append(f"this is not the arithmetic of the run ({changes(there, here)}): last bits may differ")
    progress(f"loading backbone {run.facts.backbone['name']}")
    backbone = load_backbone(pinned_backbone(run.facts.backbone), run.dtype)
    if backbone.id != run.inputs.backbone:
        what = "the backbone is not the one of the run"
        expected, found = run.inputs.backbone, backbone.id
        outcome.findings.append(Finding(what, backbone.name, expected=expected, found=found))
        return outcome
    threads = torch.get_num_threads()
    try:
        bench = open_workbench(_setup(evidence, run, store, cells, backbone, progress), backbone)
        for number, drawn in enumerate(cells, start=1):
            progress(f"cell {number} of {len(cells)}: {drawn.job.learner}, {drawn.cell.task}")
            _again(run, bench, drawn, same, outcome)
    finally:
        torch.set_num_threads(threads)
    if outcome.counts["last_bits"]:
        outcome.notes.append(f"last bits differ under other arithmetic in {outcome.counts['last_bits']} cells")
    return outcome


def draw(run: Recorded, count: int | None, seed: int, same: bool) -> list[Drawn]:
    """Cells that differ in learner, task or Delta, the first of each; `count` of them, in the order of the run.

    Where arithmetic differs, cells on a Delta before training are left out: it is not stored but drawn anew.
    """
    distinct: dict[tuple[str, str, str], Drawn] = {}
    for job in run.jobs:
        event = run.events.get(job.id)
        for cell in event.cells if isinstance(event, RowEvent) else ():
            if same or (job.kind != "before" and run.place[cell.task] <= job.arrival):
                distinct.setdefault((job.learner, cell.task, cell.delta), Drawn(job, cell))
    cells = [*distinct.values()]
    if count is None or count >= len(cells):
        return cells
    chosen = random.Random(seed_of(seed, "rerun")).sample(range(len(cells)), count)
    return [cells[index] for index in sorted(chosen)]


def _setup(
    evidence: RunFiles,
    run: Recorded,
    store: Store,
    cells: list[Drawn],
    backbone: Backbone,
    progress: Callable[[str], None],
) -> Setup:
    inputs, config = run.inputs, evidence.config
    assert config is not None  # or the check of the chain would have found that
    config = config.model_copy(update={"source": source_in(config.source, evidence.folder)})
    data = {}
    for task in dict.fromkeys(drawn.cell.task for drawn in cells):
        data[task] = str(encoded_of(run, task, config, backbone, progress))
    return Setup(
        backbone=backbone.name,
        backbone_id=inputs.backbone,
        dtype=run.dtype,
        learners=tuple(inputs.learners),
        overrides=run.header.overrides,
        data=data,
        store=str(store.root),
        seed=inputs.seed,
        train_examples=inputs.train_examples,
        test_examples=inputs.test_examples,
        validation_examples=inputs.validation_examples,
    )


def _again(run: Recorded, bench: Workbench, drawn: Drawn, same: bool, outcome: Outcome) -> None:
    job, then = drawn.job, drawn.cell
    finding = partial(Finding, file="ledger.jsonl", learner=job.learner, task=then.task, arrival=job.arrival)
    needs = fit_ids(job.learner, job.arrival)
    alone = Job("before" if job.kind == "before" else "evaluate", job.learner, job.arrival, (then.task,), needs)
    results = {need: needed(run.events[need]) for need in needs}
    scored = execute(bench, alone, results, lambda event: None)
    assert isinstance(scored, Scored)
    (now,) = scored.cells
    outcome.counts["cells"] += 1

    if same:
        for name in ("delta", "plan", "logits", "predictions", "score"):
            before, after = getattr(then, name), getattr(now, name)
            if before != after:
                what = f"evaluated again, this cell has another {name} than the ledger says"
                outcome.findings.append(finding(what, expected=str(before), found=str(after)))
                return
        return
    outcome.counts["last_bits"] += now.logits != then.logits
    if now.predictions == then.predictions:
        return
    regression = run.facts.tasks[then.task]["kind"] == "regression"
    close = now.score is not None and then.score is not None and abs(now.score - then.score) <= SAME_SCORE
    if regression and close:
        return
    what = (
        f"other predictions under other arithmetic, which is no evidence of forgetting: score {then.score} then, "
        f"{now.score} now"
    )
    outcome.findings.append(finding(what, expected=then.predictions, found=now.predictions))
