"""An Avalanche strategy that learns one task after another. Each task gives a Delta, as in our own training loop.

A session has the state of the strategy, in memory. Random generators are seeded again for each task. So the same tasks
in the same order give the same Deltas, and the state can be restored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from traceback import walk_tb
from typing import Any

import numpy as np
from torch import Tensor

from learners.backbones.backbone import Backbone
from learners.delta.delta import HEADS, Delta
from learners.delta.initial import initial_trainable
from learners.forward.batches import evaluation_plan
from learners.methods.avalanche import needs_full_stream
from learners.specification.learner import Learner, peak_rate
from learners.specification.notation import read_object
from learners.training.divergence import Diverged, not_finite
from learners.training.fit import to_delta
from learners.training.loss import target_scale, validation_loss
from learners.training.predict import predict
from learners.training.result import Fit, Report, Score
from stream.avalanche.benchmark import TIMELINE, in_memory
from stream.avalanche.isolation import own_randomness, printing, silenced
from stream.avalanche.library import benchmark_from_datasets, with_task_labels
from stream.avalanche.loop import Fitting
from stream.avalanche.memory import kept_bytes
from stream.avalanche.model import Classifier, SharedState
from stream.avalanche.rows import avalanche_dataset
from stream.avalanche.strategy import follows_updates, strategy_of
from stream.execution.evaluate_job import scorer
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.errors import InputError
from tasks.seeds import order_seed, seed_of
from tasks.task import Task

OURS = ("tasks", "learners", "stream")  # our packages


@dataclass(frozen=True, eq=False)
class SeenTask:
    """A task that the strategy has seen. Its place in the list is its task label.

    Attributes:
        train, validation: Rows in memory. Training targets of a regression are scaled to mean 0 and deviation 1.
        mean, deviation: Mean and standard deviation of the original training targets.
    """

    task: Task
    train: EncodedSplit
    validation: EncodedSplit
    mean: float
    deviation: float


class Session:
    """A learner's strategy and its state after the tasks so far.

    Attributes:
        learned: Content id of the Delta of each task so far.
    """

    def __init__(
        self,
        backbone: Backbone,
        learner: Learner,
        seed: int,
        stream: Iterable[EncodedTask] = (),
        score_of: Callable[[Task], Score] = scorer,
    ) -> None:
        """Makes the strategy.

        Args:
            seed: Seed of the run.
            stream: All tasks, for a strategy that needs the full stream. Read once. Default: none.
            score_of: Returns the metric that chooses the best epoch of a task. Default: the task's own metric.

        Raises:
            InputError: As in `stream.avalanche.strategy.strategy_of`.
        """
        self.backbone, self.learner, self.seed, self.score_of = backbone, learner, seed, score_of
        self.stream, self.joint = stream, needs_full_stream(learner.trainer_config)
        self.seen: list[SeenTask] = []
        self.learned: list[str] = []
        self._classes: set[int] = set()
        self._heads: dict[str, dict[str, str]] = {}  # digests of each learned task's head after its own fit
        self._shared = SharedState(backbone, learner, self._first_head)
        with own_randomness(seed_of(seed, learner.seeds, "strategy")), silenced():
            self.strategy = strategy_of(learner, Classifier(self._shared))

    def learn(self, data: EncodedTask, report: Report = lambda event: None) -> Fit:
        """Learns the next task. Joint training learns all tasks with the first one, so later tasks need no training.

        Raises:
            Diverged: As in `learners.training.fit.fit`. The strategy cannot be used afterwards.
            InputError: The strategy cannot learn such tasks.
        """
        started, flops = time.perf_counter(), self._shared.flops
        name, seen = data.task.name, [each.task.name for each in self.seen]
        new: Iterable[EncodedTask] = () if name in seen else self.stream if self.joint else (data,)
        fitting = self._fitting(name)
        try:
            with own_randomness(seed_of(self.seed, self.learner.seeds, name, "dropout")), silenced() as stdout:
                fitting.report = printing(report, stdout)
                if experiences := [self._add(each) for each in new]:
                    self._train(experiences, fitting, name)
        except Diverged as error:
            error.flops = self._shared.flops - flops
            raise
        delta = self._delta(name)
        self.learned.append(delta.id)
        self._heads[name] = {part: digest for part, digest in delta.digests.items() if part.startswith("head.")}
        spent = time.perf_counter() - started
        scores, losses = tuple(fitting.scores), tuple(fitting.losses)
        return Fit(delta, scores, losses, fitting.best, spent, self._shared.flops - flops, fitting.examples)

    @property
    def kept_bytes(self) -> int:
        """Bytes of the strategy's memory, without the model."""
        return kept_bytes(self.strategy)

    def _fitting(self, task: str) -> Fitting:
        training, width = self.learner.training, self.backbone.architecture.hidden
        best_epoch = not follows_updates(self.strategy)
        order = order_seed(self.seed, task)
        return Fitting(training, peak_rate(training, width), order, best_epoch, self._validate, lambda event: None)

    def _add(self, data: EncodedTask) -> Any:
        """Adds a new task and returns its experience. Later tasks are not known yet, so it has no future classes."""
        mean, deviation = target_scale(data)
        train, validation = in_memory(data.train), in_memory(data.validation)
        if data.task.kind == "regression":
            train = replace(train, target=(train.target - mean) / deviation)
        self.seen.append(SeenTask(data.task, train, validation, mean, deviation))
        rows = avalanche_dataset(train, data.task, len(self.seen) - 1, self.backbone.pad_id)
        (experience,) = with_task_labels(benchmark_from_datasets(train=[rows])).train_stream
        experience.current_experience = len(self.seen) - 1
        before, own = self._classes, set(rows.targets.uniques)
        self._classes = before | own
        for name, classes in zip(TIMELINE, (own, before, self._classes, ()), strict=True):
            setattr(experience, name, sorted(classes))
        return experience

    def _train(self, experiences: list[Any], fitting: Fitting, task: str) -> None:
        self.strategy.fitting = fitting
        try:
            self.strategy.train(experiences if self.joint else experiences[0], eval_streams=[])
        except (Diverged, InputError, OSError, MemoryError):
            raise
        except Exception as error:
            if _is_ours(error):
                raise
            where = f"learner {self.learner.name}, task {task}"
            found = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise InputError("avalanche cannot train this", where=where, found=found) from error
        self.strategy._train_cleanup()  # joint training does not call it
        self.strategy.optimizer.zero_grad()
        self.strategy.optimizer.state.clear()  # free its memory: the next task has a new optimiser

    def _first_head(self, label: int) -> tuple[Tensor, Tensor]:
        trainable = initial_trainable(self.backbone, self.learner, self.seen[label].task, self.seed)
        return trainable["head.weight"], trainable["head.bias"]

    def _validate(self) -> tuple[float, float]:
        """Returns mean score and loss over the tasks in training: the newest, or all seen tasks."""
        trains_all = {"cumulative", "joint"} & {*read_object(self.learner.trainer_config)}
        scores, losses = [], []
        for seen in self.seen if trains_all else self.seen[-1:]:
            split, candidate = seen.validation, Delta(self._tensors(seen))
            answers = predict(self.backbone, self.learner, candidate, split, evaluation_plan(split))
            loss = validation_loss(answers, split.target)
            if (found := not_finite(candidate, answers, loss)) is not None:
                fitting = self.strategy.fitting
                raise Diverged(f"{found} after {fitting.place}", fitting.step)
            scores.append(self.score_of(seen.task)(np.asarray(split.target), answers))
            losses.append(loss)
        return sum(scores) / len(scores), sum(losses) / len(losses)

    def _delta(self, name: str) -> Delta:
        """Returns the Delta of a task: body, head, and the heads of other tasks that changed since their own fits."""
        (own,) = (seen for seen in self.seen if seen.task.name == name)
        tensors = self._tensors(own)
        for seen in self.seen:
            head = Delta(self._tensors(seen, body=False))
            if seen is not own and self._heads.get(seen.task.name) != head.digests:
                prefix = f"{HEADS}{seen.task.name}."
                tensors |= {part.replace("head.", prefix, 1): tensor for part, tensor in head.tensors.items()}
        return Delta(tensors)

    def _tensors(self, seen: SeenTask, body: bool = True) -> dict[str, Tensor]:
        """Returns the current tensors of a task's Delta, or only its head."""
        head = f"heads.{self.seen.index(seen)}."
        trainable: dict[str, Tensor] = {}
        for name, parameter in self.strategy.model.named_parameters():
            if name.startswith(head) or (body and name.startswith("backbone.")):
                trainable[name.replace(head, "head.")] = parameter
        return dict(to_delta(self.learner, trainable, {}, seen.mean, seen.deviation).tensors)


def _is_ours(error: Exception) -> bool:
    """Whether our code, or a library or callback that it calls, raised an exception, and not Avalanche.

    Both call each other, so the innermost frame of either decides.
    """
    packages = [frame.f_globals.get("__name__", "").split(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    return next(package for package in reversed(packages) if package in ("avalanche", *OURS)) in OURS
