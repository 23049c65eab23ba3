"""A strategy of Avalanche on one task after another: each gives a Delta, as a fit of our own loop does.

What the strategy keeps between tasks lives here, in memory. All it draws comes from seeds that are set anew for each
task, so the same tasks in the same order give the same Deltas, and the strategy as it was can be had again.
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
from learners.training.fit import Fit, Report, Score, target_scale, to_delta, validation_loss
from learners.training.predict import predict
from stream.avalanche.benchmark import TIMELINE, in_memory
from stream.avalanche.isolation import own_randomness, silenced, spoken
from stream.avalanche.library import benchmark_from_datasets, with_task_labels
from stream.avalanche.loop import Fitting
from stream.avalanche.memory import kept_bytes
from stream.avalanche.model import Classifier, Surroundings
from stream.avalanche.rows import avalanche_dataset
from stream.avalanche.strategy import follows_updates, strategy_of
from stream.execution.evaluate_job import scorer
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.errors import InputError
from tasks.seeds import seed_of
from tasks.task import Task

OURS = ("tasks", "learners", "stream")  # packages


@dataclass(frozen=True, eq=False)
class Met:
    """A task that the strategy knows, by its place the task label; a regression's targets have mean 0, deviation 1."""

    task: Task
    train: EncodedSplit
    validation: EncodedSplit
    mean: float
    deviation: float


class Session:
    """A learner's strategy as the tasks so far left it.

    Attributes:
        learned: Id of the Delta of each task so far.
    """

    def __init__(
        self,
        backbone: Backbone,
        learner: Learner,
        seed: int,
        stream: Iterable[EncodedTask] = (),
        score_of: Callable[[Task], Score] = scorer,
    ) -> None:
        """
        Args:
            seed: Of the run.
            stream: All tasks, for a strategy that needs the full stream; gone through once, none is held.
            score_of: The metric by which the best epoch is chosen.

        Raises:
            InputError: As `stream.avalanche.strategy.strategy_of`.
        """
        self.backbone, self.learner, self.seed, self.score_of = backbone, learner, seed, score_of
        self.stream, self.joint = stream, needs_full_stream(learner.trainer_config)
        self.met: list[Met] = []
        self.learned: list[str] = []
        self._classes: set[int] = set()
        self._heads: dict[str, dict[str, str]] = {}  # of each task learned, digests of its head as its fit left it
        self._around = Surroundings(backbone, learner, self._first_head)
        with own_randomness(seed_of(seed, learner.seeds, "strategy")), silenced():
            self.strategy = strategy_of(learner, Classifier(self._around))

    def learn(self, data: EncodedTask, report: Report = lambda event: None) -> Fit:
        """Learn the next task; a strategy that foresaw it has learned it already.

        Raises:
            Diverged: As `learners.training.fit.fit`. The strategy is then of no more use.
            InputError: The strategy cannot learn such tasks.
        """
        started, flops = time.perf_counter(), self._around.flops
        name, known = data.task.name, [met.task.name for met in self.met]
        new: Iterable[EncodedTask] = () if name in known else self.stream if self.joint else (data,)
        fitting = self._fitting(name)
        try:
            with own_randomness(seed_of(self.seed, self.learner.seeds, name, "dropout")), silenced() as stdout:
                fitting.report = spoken(report, stdout)
                if experiences := [self._meet(each) for each in new]:
                    self._train(experiences, fitting, name)
        except Diverged as error:
            error.flops = self._around.flops - flops
            raise
        delta = self._delta(name)
        self.learned.append(delta.id)
        self._heads[name] = {part: digest for part, digest in delta.digests.items() if part.startswith("head.")}
        spent = time.perf_counter() - started
        scores, losses = tuple(fitting.scores), tuple(fitting.losses)
        return Fit(delta, scores, losses, fitting.best, spent, self._around.flops - flops, fitting.examples)

    @property
    def kept_bytes(self) -> int:
        """What the strategy keeps beside the model."""
        return kept_bytes(self.strategy)

    def _fitting(self, task: str) -> Fitting:
        training, width = self.learner.training, self.backbone.architecture.hidden
        best_epoch = not follows_updates(self.strategy)
        order = seed_of(self.seed, self.learner.seeds, task, "order")
        return Fitting(training, peak_rate(training, width), order, best_epoch, self._validate, lambda event: None)

    def _meet(self, data: EncodedTask) -> Any:
        """The experience of a task that is new; of later ones none is known, so future classes are none."""
        mean, deviation = target_scale(data)
        train, validation = in_memory(data.train), in_memory(data.validation)
        if data.task.kind == "regression":
            train = replace(train, target=(train.target - mean) / deviation)
        self.met.append(Met(data.task, train, validation, mean, deviation))
        rows = avalanche_dataset(train, data.task, len(self.met) - 1, self.backbone.pad_id)
        (experience,) = with_task_labels(benchmark_from_datasets(train=[rows])).train_stream
        experience.current_experience = len(self.met) - 1
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
        self.strategy._train_cleanup()  # which joint training leaves out
        self.strategy.optimizer.zero_grad()
        self.strategy.optimizer.state.clear()  # the next task has one of its own

    def _first_head(self, label: int) -> tuple[Tensor, Tensor]:
        trainable = initial_trainable(self.backbone, self.learner, self.met[label].task, self.seed)
        return trainable["head.weight"], trainable["head.bias"]

    def _validate(self) -> tuple[float, float]:
        """Mean score and loss over the tasks that are trained on: the newest, or all."""
        everything = {"cumulative", "joint"} & {*read_object(self.learner.trainer_config)}
        scores, losses = [], []
        for met in self.met if everything else self.met[-1:]:
            split, candidate = met.validation, Delta(self._finished(met))
            answers = predict(self.backbone, self.learner, candidate, split, evaluation_plan(split))
            loss = validation_loss(answers, split.target)
            if (found := not_finite(candidate, answers, loss)) is not None:
                fitting = self.strategy.fitting
                raise Diverged(f"{found} after {fitting.place}", fitting.step)
            scores.append(self.score_of(met.task)(np.asarray(split.target), answers))
            losses.append(loss)
        return sum(scores) / len(scores), sum(losses) / len(losses)

    def _delta(self, name: str) -> Delta:
        """The model with the head of a task, and of others the heads that their own Deltas do not hold."""
        (own,) = (met for met in self.met if met.task.name == name)
        tensors = self._finished(own)
        for met in self.met:
            head = Delta(self._finished(met, body=False))
            if met is not own and self._heads.get(met.task.name) != head.digests:
                tensors |= {part.replace("head.", f"{HEADS}{met.task.name}.", 1): t for part, t in head.tensors.items()}
        return Delta(tensors)

    def _finished(self, met: Met, body: bool = True) -> dict[str, Tensor]:
        """The tensors of a task's Delta as the model now is, or its head alone."""
        head = f"heads.{self.met.index(met)}."
        trainable: dict[str, Tensor] = {}
        for name, parameter in self.strategy.model.named_parameters():
            if name.startswith(head) or (body and name.startswith("backbone.")):
                trainable[name.replace(head, "head.")] = parameter
        return dict(to_delta(self.learner, trainable, {}, met.mean, met.deviation).tensors)


def _is_ours(error: Exception) -> bool:
    """Whether an exception comes from our code, or from a library or a callback that this calls, and not from
    Avalanche's: each calls the other, and the innermost of either is to blame."""
    packages = [frame.f_globals.get("__name__", "").split(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    return next(package for package in reversed(packages) if package in ("avalanche", *OURS)) in OURS
