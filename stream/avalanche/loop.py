"""The training loop of any Avalanche strategy, with our optimiser, schedule, batches and choice of the best epoch."""

# mypy: disable-error-code="misc"
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from learners.forward.batches import shuffled_plan
from learners.specification.learner import Training
from learners.training.divergence import Diverged
from learners.training.fit import PROGRESS_SECONDS
from learners.training.optimiser import EPSILON, clip_gradients, groups_of, schedule, set_rate
from learners.training.result import Report


@dataclass(eq=False)
class Fitting:
    """The state of one fit while it runs.

    Attributes:
        training: Training settings.
        peak: Peak learning rate.
        order: Seed of the batches.
        best_epoch: Whether to keep the best epoch and stop by patience; otherwise the last epoch is kept.
        validate: Returns score and loss of the model on validation rows; raises `Diverged`.
        report: Takes progress events.
        step, steps: Number of finished steps, and of all steps.
        examples: Number of rows trained on so far.
        scores, losses: Validation score and mean training loss of each finished epoch.
        running: Loss and number of rows of each batch in the current epoch.
        best, best_key, best_weights: The best epoch so far, from 0; its score and negative loss; its weights.
        started, reported: When the fit started and last reported, seconds.
    """

    training: Training
    peak: float
    order: int
    best_epoch: bool
    validate: Callable[[], tuple[float, float]]
    report: Report
    step: int = 0
    steps: int = 0
    examples: int = 0
    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    running: list[tuple[float, int]] = field(default_factory=list)
    best: int = -1
    best_key: tuple[float, float] = (-np.inf, -np.inf)
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    reported: float = field(default_factory=time.perf_counter)

    @property
    def place(self) -> str:
        return f"step {self.step} of {self.steps} (epoch {len(self.losses) + 1})"


class Batches:
    """Batches of a data set: each row once per epoch, rows of similar length together, as in our own loop.

    Avalanche would give each task an equal share of each batch. Then a batch needs at least one row per task.
    """

    def __init__(self, data: Any, batch_size: int, seed: int) -> None:
        self.data, self.batch_size, self.seed, self.epoch = data, batch_size, seed, -1
        self.lengths = np.array([*data.lengths])

    def __len__(self) -> int:
        return -(-len(self.data) // self.batch_size)

    def __iter__(self) -> Iterator[list[Any]]:
        self.epoch += 1
        for rows in shuffled_plan(self.lengths, self.batch_size, self.seed, self.epoch).batches:
            yield self.data.collate_fn([self.data[int(row)] for row in rows])


class Loop:
    """Methods that replace those of a strategy's class. This class comes before the strategy's class in the bases."""

    fitting: Fitting
    model: nn.Module
    dataloader: Any
    adapted_dataset: Any
    loss: Tensor
    mb_y: Tensor

    def make_optimizer(self, **_: Any) -> None:
        """Makes a new optimiser for each task, with all current parameters. Avalanche would keep the old moments."""
        named = dict(self.model.named_parameters())
        groups = groups_of(self.fitting.training, named, {}, self.fitting.peak, None)
        self.optimizer = torch.optim.AdamW(groups, eps=EPSILON, fused=True)
        self.optimized_param_id: dict[str, Tensor] = {}

    def make_train_dataloader(self, **_: Any) -> None:
        self.dataloader = Batches(self.adapted_dataset, self.fitting.training.batch_size, self.fitting.order)

    def backward(self) -> None:
        fitting, value = self.fitting, self.loss.item()
        fitting.step, fitting.steps = fitting.step + 1, max(1, fitting.training.epochs * len(self.dataloader))
        if not np.isfinite(value):
            raise Diverged(f"the loss is {value} at {fitting.place}", fitting.step)
        super().backward()
        rows = len(self.mb_y)
        fitting.running.append((value, rows))
        fitting.examples += rows
        if (now := time.perf_counter()) - fitting.reported > PROGRESS_SECONDS:
            rate = fitting.examples / (now - fitting.started)
            epochs = {"epoch": len(fitting.losses) + 1, "epochs": fitting.training.epochs}
            steps = {"step": fitting.step, "steps": fitting.steps}
            fitting.report({**epochs, **steps, "loss": value, "examples_per_second": rate})
            fitting.reported = now

    def optimizer_step(self) -> None:
        fitting, training = self.fitting, self.fitting.training
        set_rate(self.optimizer, schedule(fitting.step - 1, fitting.steps, training.warmup, training.decay))
        clip_gradients(self.model.parameters(), training.clip)
        super().optimizer_step()

    def _after_training_epoch(self, **kwargs: Any) -> None:
        super()._after_training_epoch(**kwargs)
        fitting, epoch = self.fitting, len(self.fitting.losses)
        score, loss = fitting.validate()
        fitting.losses.append(sum(value * rows for value, rows in fitting.running) / sum(n for _, n in fitting.running))
        fitting.running.clear()
        fitting.scores.append(score)
        if not fitting.best_epoch or (score, -loss) > fitting.best_key:
            fitting.best, fitting.best_key = epoch, (score, -loss)
            if fitting.best_epoch:
                fitting.best_weights = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        elif fitting.training.stops(epoch - fitting.best):
            self.stop_training()  # type: ignore[attr-defined]

    def _after_training_exp(self, **kwargs: Any) -> None:
        """Restores the best epoch first, so that what the strategy stores about the task belongs to that epoch."""
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if name in self.fitting.best_weights:
                    parameter.copy_(self.fitting.best_weights[name])
        self.fitting.best_weights = {}
        super()._after_training_exp(**kwargs)
