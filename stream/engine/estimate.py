"""The speed of finished jobs, from which the time of others is estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import JsonValue

from learners.specification.learner import Training
from stream.storage.cell import Cell
from stream.storage.events import JobEvent, RowEvent
from stream.storage.fits import FitResult, Recipe
from stream.storage.store import Store, fit_of, read_record, recipe_of
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
        numerics: Numerics of this process (`stream.execution.numerics`).
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
    epochs = training.get("epochs", Training.epochs) if isinstance(training, dict) else None
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
