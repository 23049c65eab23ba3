"""Estimate: how long jobs may take, from the FLOPs they need and from what finished ones took. Nothing is computed."""

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
from stream.storage.cell import Score
from stream.storage.events import JobEvent, RowEvent
from stream.storage.fits import FitResult, Recipe
from stream.storage.store import Store, fit_of, read_record, recipe_of
from tasks.encoded import EncodedSplit
from tasks.errors import InputError

MACHINE = ("dtype", "device", "threads", "machine", "instructions")  # of the numerics, those that speed depends on


@dataclass
class Pace:
    """How finished fits went.

    Attributes:
        ran, allowed: Epochs; training stops early where validation scores no longer rise.
    """

    fits: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    ran: int = 0
    allowed: int = 0

    def add(self, fit: FitResult, epochs: int) -> None:
        self.fits += 1
        self.flops += fit.flops
        self.seconds += fit.seconds
        self.ran += len(fit.losses)
        self.allowed += epochs

    @property
    def rate(self) -> float:
        """FLOPs a second, validation included."""
        return self.flops / self.seconds

    def take(self, flops: float) -> float:
        """Seconds of a fit that needs so many FLOPs if it comes to its last epoch."""
        return flops * self.ran / self.allowed / self.rate


def paces(store: Store, backbone: str, numerics: Mapping[str, JsonValue]) -> dict[str, Pace]:
    """By canonical name of the learner, and under "" of all, from the fits in a store of this backbone, done as here.

    Args:
        backbone: Content id.
    """
    found: dict[str, Pace] = {}
    here = {name: numerics[name] for name in MACHINE}
    for path in sorted((store.root / "fits").glob("*.json")):
        with suppress(InputError, FileNotFoundError):  # damaged or just removed: an estimate does without
            record = read_record(path)
            fit, recipe = fit_of(record, path), recipe_of(record, path)
            same = recipe.backbone == backbone and all(recipe.numerics.get(name) == here[name] for name in MACHINE)
            if same and fit.flops and fit.losses:
                learner, epochs = learner_of(recipe)
                for name in (learner, ""):
                    found.setdefault(name, Pace()).add(fit, epochs)
    return found


def learner_of(recipe: Recipe) -> tuple[str, int]:
    """Canonical name of a recipe's learner, and the epochs that its training may take."""
    training = recipe.learner.get("training")
    epochs = training.get("epochs") if isinstance(training, dict) else None
    return str(recipe.learner.get("name")), epochs if isinstance(epochs, int) else 0


@dataclass
class Answers:
    """How fast finished cells of one learner were.

    Attributes:
        tasks: Of each task, its cells and their seconds.
    """

    tasks: dict[str, tuple[int, float]] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0

    def add(self, cell: Score) -> None:
        cells, seconds = self.tasks.get(cell.task, (0, 0.0))
        self.tasks[cell.task] = cells + 1, seconds + cell.seconds
        self.rows += cell.n
        self.seconds += cell.seconds

    def take(self, task: str, rows: int) -> float:
        """Seconds of a cell: as this task took so far, or as other rows did."""
        if task in self.tasks:
            cells, seconds = self.tasks[task]
            return seconds / cells
        return rows * self.seconds / self.rows


def answers(events: Iterable[JobEvent]) -> dict[str, Answers]:
    """By learner, from the rows of a ledger."""
    found: dict[str, Answers] = {}
    for event in events:
        for cell in event.cells if isinstance(event, RowEvent) else ():
            found.setdefault(event.learner, Answers()).add(cell)
    return found


@dataclass(eq=False)
class Work:
    """FLOPs of jobs, by the lengths of their rows; what is the same for several learners is counted once."""

    bench: Workbench
    counted: dict[tuple[str, str, int], Counter[tuple[int, int]]] = field(default_factory=dict)

    def fit(self, name: str, task: str) -> float:
        """Of a fit that comes to its last epoch."""
        learner, data = self.bench.learners[name], self.bench.data(task)
        if not learner.trains:
            return 0.0
        training, outputs, backbone = learner.training, data.task.outputs, self.bench.backbone
        keeps = keeps_frozen_prefix(backbone, learner, data.train)
        step = flops_per_row(backbone, learner, outputs, backward=True, above=keeps)
        flops = training.epochs * self._over(step, task, "train", training.batch_size)
        if keeps:
            flops += self._over(frozen_flops(backbone, learner), task, "train", 0)
        return flops

    def cell(self, name: str, task: str) -> float:
        """Of one evaluation on the test rows: all layers, or those above what is kept."""
        learner, data = self.bench.learners[name], self.bench.data(task)
        keeps = self.bench.setup.share_activations and keeps_frozen_prefix(self.bench.backbone, learner, data.test)
        row = flops_per_row(self.bench.backbone, learner, data.task.outputs, backward=False, above=keeps)
        return self._over(row, task, "test", 0)

    def _over(self, per_row: np.ndarray, task: str, split: str, batch_size: int) -> float:
        """Over all rows of a split, in training batches of a size, or with 0 in those of the evaluation plan."""
        asked = task, split, batch_size
        if asked not in self.counted:
            rows: EncodedSplit = getattr(self.bench.data(task), split)
            # Batches are drawn; one draw is as good as another.
            plan = training_plan(rows, batch_size, 0, 0) if batch_size else evaluation_plan(rows)
            self.counted[asked] = shapes_of(rows, plan)
        return sum(count * total_flops(per_row, *shape) for shape, count in self.counted[asked].items())


def shapes_of(split: EncodedSplit, plan: Plan) -> Counter[tuple[int, int]]:
    """How many batches of a plan have how many rows and tokens."""
    return Counter((len(rows), int(split.lengths[rows].max())) for rows in plan.batches)
