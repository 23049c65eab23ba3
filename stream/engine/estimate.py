"""Estimates how long jobs may take, from their FLOPs and from the times of finished jobs. Runs no job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from pydantic import JsonValue

from learners.forward.batches import Plan, evaluation_plan, training_plan
from learners.forward.flops import flops_per_row, frozen_flops, total_flops
from learners.forward.frozen_prefix import keeps_frozen_prefix
from stream.execution.workbench import Workbench
from stream.storage.cell import Cell
from stream.storage.events import JobEvent, RowEvent
from stream.storage.fits import FitResult, Recipe
from stream.storage.store import Store, fit_of, read_record, recipe_of
from tasks.encoded import EncodedSplit
from tasks.errors import InputError

MACHINE = ("dtype", "device", "threads", "machine", "instructions")  # the entries of `numerics` that affect speed


@dataclass
class FitSpeed:
    """The speed of finished fits.

    Attributes:
        fits: Number of fits.
        flops, seconds: Sums over these fits.
        ran, allowed: Epochs that were run, and epochs that the settings allow: training stops early if validation
            scores no longer rise.
    """

    fits: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    ran: int = 0
    allowed: int = 0

    def add(self, fit: FitResult, epochs: int) -> None:
        """Adds a finished fit; `epochs` is the number that its settings allow."""
        self.fits += 1
        self.flops += fit.flops
        self.seconds += fit.seconds
        self.ran += len(fit.losses)
        self.allowed += epochs

    @property
    def rate(self) -> float:
        """FLOPs per second, with the time for validation."""
        return self.flops / self.seconds

    def seconds_for(self, flops: float) -> float:
        """Returns the expected seconds of a fit that needs `flops` FLOPs if it runs all its epochs."""
        return flops * self.ran / self.allowed / self.rate


def fit_speeds(store: Store, backbone: str, numerics: Mapping[str, JsonValue]) -> dict[str, FitSpeed]:
    """Returns the speed of the fits in a store, by canonical name of the learner; the entry "" is that of all fits.

    It counts only fits on the same backbone, with the same numerics as far as they affect speed.

    Args:
        backbone: Content id of the backbone.
        numerics: Numerics of this process (`stream.execution.workbench.numerics`).
    """
    speeds: dict[str, FitSpeed] = {}
    here = {name: numerics[name] for name in MACHINE}
    for path in sorted((store.root / "fits").glob("*.json")):
        with suppress(InputError, FileNotFoundError):  # an estimate can skip a damaged or removed record
            record = read_record(path)
            fit, recipe = fit_of(record, path), recipe_of(record, path)
            same = recipe.backbone == backbone and all(recipe.numerics.get(name) == here[name] for name in MACHINE)
            if same and fit.flops and fit.losses:
                learner, epochs = learner_of(recipe)
                for name in (learner, ""):
                    speeds.setdefault(name, FitSpeed()).add(fit, epochs)
    return speeds


def learner_of(recipe: Recipe) -> tuple[str, int]:
    """Returns the canonical name of a recipe's learner, and the number of epochs that its settings allow."""
    training = recipe.learner.get("training")
    epochs = training.get("epochs") if isinstance(training, dict) else None
    return str(recipe.learner.get("name")), epochs if isinstance(epochs, int) else 0


@dataclass
class EvaluationSpeed:
    """The speed of the evaluated cells of one learner.

    Attributes:
        tasks: Number of cells and their seconds, by task.
        rows, seconds: Test rows and seconds of all cells.
    """

    tasks: dict[str, tuple[int, float]] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0

    def add(self, cell: Cell) -> None:
        """Adds an evaluated cell."""
        cells, seconds = self.tasks.get(cell.task, (0, 0.0))
        self.tasks[cell.task] = cells + 1, seconds + cell.seconds
        self.rows += cell.n
        self.seconds += cell.seconds

    def seconds_for(self, task: str, rows: int) -> float:
        """Returns the expected seconds of a cell: the mean of this task's cells; without any, by the number of rows.

        Args:
            rows: Number of test rows of the task.
        """
        if task in self.tasks:
            cells, seconds = self.tasks[task]
            return seconds / cells
        return rows * self.seconds / self.rows


def evaluation_speeds(events: Iterable[JobEvent]) -> dict[str, EvaluationSpeed]:
    """Returns the speed of evaluated cells by learner, from the events of finished jobs."""
    speeds: dict[str, EvaluationSpeed] = {}
    for event in events:
        for cell in event.cells if isinstance(event, RowEvent) else ():
            speeds.setdefault(event.learner, EvaluationSpeed()).add(cell)
    return speeds


@dataclass(eq=False)
class JobFlops:
    """Counts the FLOPs of jobs from the lengths of their rows.

    Attributes:
        workbench: Backbone, learners and data of the run.
        counted: Batch shapes by task, split and batch size: counted once for all learners.
    """

    workbench: Workbench
    counted: dict[tuple[str, str, int], Counter[tuple[int, int]]] = field(default_factory=dict)

    def fit(self, name: str, task: str) -> float:
        """Returns the FLOPs of a fit of learner `name` that runs all its epochs."""
        learner, data = self.workbench.learners[name], self.workbench.data(task)
        if not learner.trains:
            return 0.0
        training, outputs, backbone = learner.training, data.task.outputs, self.workbench.backbone
        cached = keeps_frozen_prefix(backbone, learner, data.train)
        step = flops_per_row(backbone, learner, outputs, backward=True, above=cached)
        flops = training.epochs * self._sum(step, task, "train", training.batch_size)
        if cached:
            flops += self._sum(frozen_flops(backbone, learner), task, "train", 0)
        return flops

    def cell(self, name: str, task: str) -> float:
        """Returns the FLOPs of one evaluation of learner `name` on the test rows: of all layers, or only of those above
        the layers whose activations are cached."""
        learner, data, backbone = self.workbench.learners[name], self.workbench.data(task), self.workbench.backbone
        cached = self.workbench.setup.share_activations and keeps_frozen_prefix(backbone, learner, data.test)
        row = flops_per_row(backbone, learner, data.task.outputs, backward=False, above=cached)
        return self._sum(row, task, "test", 0)

    def _sum(self, per_row: np.ndarray, task: str, split: str, batch_size: int) -> float:
        """Returns the FLOPs of all rows of a split, in training batches of `batch_size` rows; 0 stands for the batches
        of the evaluation plan."""
        key = task, split, batch_size
        if key not in self.counted:
            rows: EncodedSplit = getattr(self.workbench.data(task), split)
            # The fit will draw other batches; for an estimate any draw will do.
            plan = training_plan(rows, batch_size, 0, 0) if batch_size else evaluation_plan(rows)
            self.counted[key] = shapes_of(rows, plan)
        return sum(count * total_flops(per_row, *shape) for shape, count in self.counted[key].items())


def shapes_of(split: EncodedSplit, plan: Plan) -> Counter[tuple[int, int]]:
    """Returns the number of batches of a plan by shape: (rows, longest row in tokens)."""
    return Counter((len(rows), int(split.lengths[rows].max())) for rows in plan.batches)
