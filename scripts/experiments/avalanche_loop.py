"""An Avalanche strategy in Avalanche's own loop, on one of our streams: with Avalanche's defaults or our settings.

With Avalanche's defaults, AdamW runs at a constant learning rate, its moments carry over to the next task, and the last
epoch is kept. With our settings, an Avalanche plugin adds what our loop does: new moments for each task, warm-up and
decay of the learning rate, clipped gradients, and the epoch that is best on validation rows.

Three differences remain. Avalanche shuffles rows and does not group them by length, so the batches differ; if it trains
on several tasks at once, each task has an equal share of a batch. It does not standardise the targets of a regression.
And the heads of later tasks exist from the start.
"""

# mypy: disable-error-code="import-untyped,misc"
from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from avalanche.core import SupervisedPlugin
from avalanche.training.plugins import EvaluationPlugin
from torch import Tensor, nn

from learners.delta.delta import Delta
from learners.forward.batches import evaluation_plan
from learners.specification.family import parse_learner
from learners.specification.learner import Learner, Training, peak_rate
from learners.specification.notation import read_object
from learners.training.loss import validation_loss
from learners.training.optimiser import EPSILON, clip_gradients, groups_of, schedule, set_rate
from learners.training.predict import predict
from stream.avalanche import TextBenchmark
from stream.avalanche.isolation import own_randomness, silenced
from stream.avalanche.strategy import classes_of, follows_updates
from stream.execution.evaluate_job import evaluate, scorer
from tasks.seeds import seed_of


class OurSettings(SupervisedPlugin):
    """Plugin that gives Avalanche's loop the schedule, clipping and choice of the epoch of our loop.

    It comes before the strategy's own plugins, so that they store the weights of the chosen epoch.

    Attributes:
        best_epoch: Keep the best epoch; otherwise the last.
    """

    def __init__(self, tasks: TextBenchmark, learner: Learner, best_epoch: bool) -> None:
        super().__init__()
        self.tasks, self.learner, self.best_epoch = tasks, learner, best_epoch
        self.everything = bool({"cumulative", "joint"} & {*read_object(learner.trainer_config)})

    def before_training_exp(self, strategy: Any, **_: Any) -> None:
        strategy.optimizer.state.clear()
        self.step, self.steps = 0, max(1, strategy.train_epochs * len(strategy.dataloader))
        self.best_key, self.best = (-np.inf, -np.inf), dict[str, Tensor]()
        self.epoch = self.best_epoch_yet = 0

    def before_update(self, strategy: Any, **_: Any) -> None:
        training = self.learner.training
        set_rate(strategy.optimizer, schedule(self.step, self.steps, training.warmup, training.decay))
        clip_gradients(strategy.model.parameters(), training.clip)
        self.step += 1

    def after_training_epoch(self, strategy: Any, **_: Any) -> None:
        if not self.best_epoch:
            return
        newest = strategy.experience.current_experience
        found = [
            self._validated(strategy.model, label) for label in range(0 if self.everything else newest, newest + 1)
        ]
        score, loss = (sum(values) / len(found) for values in zip(*found, strict=True))
        self.epoch += 1
        if (score, -loss) > self.best_key:
            self.best_key, self.best_epoch_yet = (score, -loss), self.epoch
            self.best = {name: p.detach().clone() for name, p in strategy.model.named_parameters()}
        elif self.learner.training.stops(self.epoch - self.best_epoch_yet):
            strategy.stop_training()

    def after_training_exp(self, strategy: Any, **_: Any) -> None:
        with torch.no_grad():
            for name, parameter in strategy.model.named_parameters():
                if name in self.best:
                    parameter.copy_(self.best[name])

    def _validated(self, model: nn.Module, label: int) -> tuple[float, float]:
        """Score and loss on the validation rows of a task."""
        tasks, data = self.tasks, self.tasks.tasks[label]
        split = data.validation
        answers = predict(tasks.backbone, self.learner, delta_of(model, label), split, evaluation_plan(split))
        target = np.asarray(split.target)
        return scorer(data.task)(target, answers), validation_loss(answers, target)


def runs_inside(name: str, tasks: int, batch_size: int) -> bool:
    """Whether a strategy can run in Avalanche's loop.

    A strategy that trains on all tasks in one step (`joint`) cannot. Cumulative training and GDumb need at least one
    row of each task in a batch.
    """
    strategies = {*read_object(parse_learner(name).trainer_config)}
    return "joint" not in strategies and (tasks <= batch_size or not {"cumulative", "gdumb"} & strategies)


def inside(
    tasks: TextBenchmark, name: str, epochs: int, batch_size: int, *, settings_of_ours: bool
) -> dict[str, float | None]:
    """Run a strategy in Avalanche's own loop.

    Args:
        name: Specification of the learner, such as `avalanche:ewc`.
        settings_of_ours: Add `OurSettings`; otherwise Avalanche's defaults.

    Returns:
        Score of each task after the last arrival, a fraction; None if it is not defined.
    """
    learner = parse_learner(name, {"epochs": epochs, "batch_size": batch_size})
    base, given, named = classes_of(learner)
    with own_randomness(seed_of(tasks.seed, name, "inside")), silenced():
        model = tasks.model()
        model.shared = replace(model.shared, learner=learner)  # the dropout of its specification
        strategy = base(
            model=model,
            optimizer=_optimiser(learner.training, model, tasks.backbone.architecture.hidden, settings_of_ours),
            criterion=tasks.loss,
            train_mb_size=batch_size,
            train_epochs=epochs,
            plugins=[plugin(**own) for plugin, own in named.items()],
            evaluator=EvaluationPlugin(),
            **given,
        )
        if settings_of_ours:
            strategy.plugins.insert(0, OurSettings(tasks, learner, best_epoch=not follows_updates(strategy)))
        for experience in tasks.to_avalanche().train_stream:
            strategy.train(experience, eval_streams=[])
    return {
        data.task.name: evaluate(tasks.backbone, learner, delta_of(model, label), data.task, data.test).score
        for label, data in enumerate(tasks.tasks)
    }


def delta_of(model: nn.Module, label: int) -> Delta:
    """Weights of the model for one task, as a Delta of `full:sequential`."""
    head = f"heads.{label}."
    named = {name.replace(head, "head."): p.detach().clone() for name, p in model.named_parameters()}
    return Delta({name: tensor for name, tensor in named.items() if name.startswith(("backbone.", "head."))})


def _optimiser(training: Training, model: nn.Module, hidden: int, settings_of_ours: bool) -> torch.optim.Optimizer:
    rate = peak_rate(training, hidden)
    if settings_of_ours:
        groups = groups_of(training, dict(model.named_parameters()), {}, rate, None)
        return torch.optim.AdamW(groups, eps=EPSILON, fused=True)
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=training.weight_decay)
