"""A rough count of the work of a run, before its data are encoded, and the pace at which this machine does it.

Work is floating-point operations by a formula: two per parameter of the encoder and token forward, twice that backward.
The pace of finished fits is measured with the same formula, so its errors mostly cancel.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learners.backbones.architecture import Architecture, encoder_parameters
from learners.forward.frozen_layers import frozen_layers
from learners.specification.learner import Learner
from stream.storage.events import FitEvent, JobEvent
from stream.storage.facts import TaskFacts
from stream.storage.files import write_json
from tasks.houlsby26 import DATA_FACTS
from tasks.lm15 import LM15_FACTS

CHARACTERS, PER_TOKEN = 150, 4.5  # of a row of a task that is not in the table; of a token
# Backward passes, in forward passes: with the gradients of all weights, or of added tensors only.
ALL_WEIGHTS, ADDED = 2.0, 1.2
REACHED = 0.3  # share of the pace of a large matrix product that training reaches; 0.23 in the demo on busy cores
LEAST = 5.0  # seconds of fits that make a pace


@dataclass(frozen=True)
class WorkOf:
    """Counts the work of one learner on one backbone.

    Attributes:
        architecture: Architecture of the backbone.
        learner: The learner.
        max_length: Tokens to which rows are cut.
    """

    architecture: Architecture
    learner: Learner
    max_length: int

    def fit(self, task: str, rows: int, epochs: int) -> float:
        """Returns the FLOPs of a fit: the frozen layers once, the others in each epoch."""
        if not self.learner.trains:
            return 0.0
        tuned = self.learner.tuned
        backward = ALL_WEIGHTS if tuned.all or tuned.top_layers or self.learner.difference else ADDED
        return self._forward(task, rows) * (1 - self._above + epochs * self._above * (1 + backward))

    def cells(self, task: str, rows: int, count: int) -> float:
        """Returns the FLOPs of `count` evaluations of a task: the frozen layers once, the others each time."""
        return self._forward(task, rows) * (1 - self._above + count * self._above) if self.learner.trains else 0.0

    @property
    def _above(self) -> float:
        """Share of the layers that are not frozen."""
        return 1 - frozen_layers(self.learner, self.architecture) / self.architecture.layers

    def _forward(self, task: str, rows: int) -> float:
        facts = DATA_FACTS.get(task) or LM15_FACTS.get(task)
        characters = CHARACTERS if facts is None else facts.mean_characters
        return 2.0 * encoder_parameters(self.architecture) * rows * min(characters / PER_TOKEN + 2, self.max_length)


def probed_pace(seconds: float = 0.1) -> float:
    """Returns a guess of the FLOPs per second of one process, from a matrix product that is repeated so long."""
    one, other = np.ones((1024, 512), np.float32), np.ones((512, 512), np.float32)
    one @ other  # starts the threads of the library
    count, began = 0, time.process_time()
    while time.process_time() - began < seconds:  # time of all threads: the pace of one core
        one @ other
        count += 1
    return REACHED * 2.0 * one.size * other.shape[1] * count / (time.process_time() - began)


def measured_pace(
    works: Mapping[str, WorkOf], tasks: Mapping[str, TaskFacts], events: Iterable[JobEvent]
) -> float | None:
    """Returns the FLOPs per second of finished fits in one process; None if they took less than `LEAST` seconds.

    Args:
        works: Work of each learner, by specification.
        tasks: Facts about the tasks, by name.
    """
    flops = seconds = 0.0
    for event in events:
        if isinstance(event, FitEvent) and not event.cached and works[event.learner].learner.trains:
            flops += works[event.learner].fit(event.task, tasks[event.task]["train"] or 0, len(event.losses))
            seconds += event.seconds
    return flops / seconds if seconds >= LEAST else None


def read_pace(file: Path) -> float | None:
    """Returns the pace in a file; None if there is none, or it is damaged."""
    with suppress(OSError, ValueError, TypeError, LookupError):
        pace = float(json.loads(file.read_text(encoding="utf-8"))["flops_per_second"])
        return pace if 0 < pace < float("inf") else None
    return None


def write_pace(file: Path, pace: float) -> None:
    """Writes the pace of this machine for later runs. An error of the disk only loses it."""
    with suppress(OSError):
        write_json(file, {"flops_per_second": pace})
