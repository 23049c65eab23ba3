"""Open a finished run again: its backbone, data and Deltas, for evaluations that the run itself did not make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import study
import typer
from rich.console import Console

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.forward.batches import evaluation_plan
from learners.specification.learner import Learner
from learners.training.predict import predict
from stream import InputError, Results, Study, load_results
from stream.config.resolve import resolve_config
from stream.engine.context import prepare
from stream.execution.evaluate_job import scorer
from stream.execution.workbench import Workbench, open_workbench
from stream.storage.events import FitEvent, RowEvent, read_events
from stream.storage.finished import good
from stream.storage.ledger import read_ledger
from stream.verification.recorded import recorded_run
from tasks import unknown_name

Run = Annotated[Path | None, typer.Option(help="Folder of a finished run. Default: make new runs.")]


@dataclass(frozen=True, eq=False)
class Finished:
    """One learner of a finished run.

    Attributes:
        results: Results of the run.
        bench: Evaluates with the run's backbone, data and store.
        fits: Events of the learner's fits, by task.
    """

    results: Results
    bench: Workbench
    learner: Learner
    fits: Mapping[str, FitEvent]

    @property
    def backbone(self) -> Backbone:
        return self.bench.backbone

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.fits)

    def delta(self, task: str) -> Delta:
        return self.bench.store.get_delta(self.fits[task])

    def score(self, task: str, delta: Delta, split: str = "test") -> tuple[float, np.ndarray]:
        """Score of a Delta on a split of a task in its metric, a fraction, and its logits [n, C].

        Args:
            split: `test` or `validation`.
        """
        data = self.bench.data(task)
        rows = data.test if split == "test" else data.validation
        logits = predict(self.backbone, self.learner, delta, rows, evaluation_plan(rows))
        return scorer(data.task)(np.asarray(rows.target), logits), logits


def make_runs(out: Path, console: Console, seeds: int, **settings: Any) -> list[Path]:
    """Folders of the runs with these settings and seeds 0, 1, ...; runs that are not finished are run here."""
    return folders_of(study.run_study(out, console, seed=[*range(seeds)], **settings))


def folders_of(runs: Study) -> list[Path]:
    """Folders of the finished runs of a study."""
    return [Path(runs.folder) / member.folder for member in runs.finished]


def open_finished(folder: Path, learner: str) -> Finished:
    """Open a run for one of its learners. The learner must have a Delta per task.

    Raises:
        InputError: There is no run, or no such learner in it; the learner is sequential; or the data have changed.
    """
    return open_run(folder).learner(learner)


@dataclass(frozen=True, eq=False)
class Opened:
    """A finished run whose learners can be asked again.

    Attributes:
        folder: Its folder.
        results: Its results.
        bench: Evaluates with the run's backbone, data and store.
        fits: Events of the fits, by learner and task.
        logits: Content id of the last logits on the test rows, by learner and task.
    """

    folder: Path
    results: Results
    bench: Workbench
    fits: Mapping[str, Mapping[str, FitEvent]]
    logits: Mapping[tuple[str, str], str]

    def learner(self, name: str) -> Finished:
        """One of its learners.

        Raises:
            InputError: There is no such learner, or it is sequential.
        """
        if name not in self.results:
            raise unknown_name("learner of this run", name, self.results.learners, where=str(self.folder))
        if self.results[name].sharing == "sequential":
            raise InputError("one Delta for all tasks", where=name, expected="a learner with a Delta per task")
        return Finished(self.results, self.bench, self.bench.learners[name], self.fits[name])


def open_run(folder: Path) -> Opened:
    """Open a finished run.

    Raises:
        InputError: There is no run, or the data have changed.
    """
    results = load_results(folder)
    config, _ = resolve_config({}, folder / "config.toml")
    prepared = prepare(config.model_copy(update={"out": str(folder)}))
    events = [*read_events(read_ledger(folder / "ledger.jsonl"))]
    run = recorded_run(events)
    if run is None or dict(run.inputs.data) != dict(prepared.inputs.data):
        raise InputError("the source no longer gives the data of the run", where=str(folder), fix="run it again")
    fits = {name: {fit.task: fit for fit in good(run.fits[name])} for name in results}
    rows = [event for event in events if isinstance(event, RowEvent) and event.kind != "before"]
    logits = {(row.learner, cell.task): cell.logits for row in rows for cell in row.cells}
    return Opened(folder, results, open_workbench(prepared.setup(), prepared.backbone), fits, logits)
