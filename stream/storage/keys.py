"""The inputs of a run's jobs, and the keys: a result counts only under the hash (key) of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from pydantic import JsonValue

from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of, trainer_in
from learners.training.trainer import trainer_named
from stream.storage.fits import History, LearnedTask, Recipe
from stream.storage.job import Job
from stream.storage.plain import ABSENT
from stream.storage.trials import Trial
from tasks.content import canonical, content_id

TWIN = "twin:"  # no task has a colon in its name


def twin_of(task: str) -> str:
    """Returns the name, within a run, of the simulated twin of a task."""
    return TWIN + task


@dataclass(frozen=True)
class RunInputs:
    """The inputs that all keys and recipes of a run are computed from.

    They are plain values. Each call writes them into the ledger, so a reader can recompute every key from the ledger.

    Attributes:
        backbone: Content id of the backbone.
        files: SHA-256 of each file of the backbone, by name. Keys contain `backbone` instead, which is their content.
        numerics: Everything that may change the last bit of a logit (`stream.execution.numerics`).
        seed: Seed of the run.
        train_examples, test_examples: Most examples used of these splits; None is all.
        evaluate: `full`, `square` or `audited`; see `stream.engine.jobs.plan_jobs`.
        learners: Settings of each learner, by specification.
        data: Content id of each task's data, by task, in order of arrival.
        validation_examples: Most examples used of the validation split. Not written if it equals `test_examples`
            (None, default).
        data_seed: Seed that draws the examples of a split with a limit. None (default): `seed` draws them, as in runs
            before TRAINING_FORMAT 6; not written.
        scoring: What computes the scores of each task (`tasks.metrics.scoring`), by task. Empty (default) in runs
            before TRAINING_FORMAT 6.
        twins: For the simulated twin of each task, if a learner chooses on twins: content id of its data, and what
            computes its scores; by `twin_of` of the task. Not written otherwise (None, default).
    """

    backbone: str
    files: Mapping[str, str]
    numerics: Mapping[str, JsonValue]
    seed: int
    train_examples: int | None
    test_examples: int | None
    evaluate: str
    learners: Mapping[str, Mapping[str, JsonValue]]
    data: Mapping[str, str]
    validation_examples: int | None = field(default=None, metadata=ABSENT)
    data_seed: int | None = field(default=None, metadata=ABSENT)
    scoring: Mapping[str, str] = field(default_factory=dict)
    twins: Mapping[str, tuple[str, str]] | None = field(default=None, metadata=ABSENT)

    @property
    def sample_seed(self) -> int:
        """Seed that draws the examples of a split with a limit."""
        return self.seed if self.data_seed is None else self.data_seed

    def scored_data(self, task: str) -> list[str]:
        """Returns name and content id of a task's data, and what computes its scores."""
        if self.twins is not None and task in self.twins:
            return [task, *self.twins[task]]
        return [*_scored_data(task, self.data, self.scoring)]

    @cached_property
    def _learned(self) -> tuple[str, tuple[int, ...]]:
        """JSON text of `scored_data` of all tasks in order of arrival, without the outer brackets; and the position in
        this text at which each arrival ends."""
        texts = [canonical(self.scored_data(task)) for task in self.data]
        return ",".join(texts), tuple(accumulate((len(text) + 1 for text in texts), initial=0))

    @cached_property
    def _full_stream(self) -> frozenset[str]:
        """Learners whose results all depend on all tasks of the stream."""
        trainers = {name: trainer_in(learner) for name, learner in self.learners.items()}
        return frozenset(
            name for name, (trainer, config) in trainers.items() if trainer_named(trainer).needs_full_stream(config)
        )

    def recipe(
        self,
        job: Job,
        previous: str | None,
        met: History | None = None,
        trial: Trial | None = None,
        learner: Mapping[str, JsonValue] | None = None,
    ) -> Recipe:
        """Returns the recipe of a fit job, or of a trial.

        Args:
            previous: Content id of the Delta from which the fit starts; None if it does not start from an earlier fit.
            met: The history that `history` returns; None (default) if the trainer keeps no state.
            trial: What is fitted of a learner with alternatives; None (default) for other learners.
            learner: Settings of that alternative. Default: None.
        """
        (task,) = job.tasks
        _, data, *how = self.scored_data(task)
        return Recipe(
            backbone=self.backbone,
            data=data,
            learner=self.learners[job.learner] if learner is None else learner,
            task=task.removeprefix(TWIN),
            seed=self.seed if trial is None or trial.seed is None else trial.seed,
            train_examples=self.train_examples,
            test_examples=self.test_examples,
            validation_examples=self.validation_examples,
            data_seed=self.data_seed,
            scoring=how[0] if how else None,
            previous=previous,
            numerics=self.numerics,
            met=met,
            until=None if trial is None else trial.until,
        )

    def key(self, job: Job) -> str:
        """Returns the hash of all inputs of a job. A result in the ledger counts only if it has this key."""
        parts = {
            "backbone": self.backbone,
            "numerics": self.numerics,
            "seed": self.seed,
            "train_examples": self.train_examples,
            "test_examples": self.test_examples,
            "learner": self.learners[job.learner],
            "kind": job.kind,
            "evaluate": self.evaluate,
            "tasks": [self.scored_data(task) for task in job.tasks],
        }
        if self.data_seed is not None:
            parts["data_seed"] = self.data_seed
        if self.validation_examples is not None:
            parts["validation_examples"] = self.validation_examples
        if job.trial is not None:
            parts["trial"] = job.trial
        if job.learner in self._full_stream:
            parts["foreseen"] = [self.scored_data(task) for task in self.data]
        learned, ends = self._learned
        # This is the canonical text of `parts` with an entry "learned" at its place among the sorted keys. That entry
        # grows with the stream, so each job takes a part of one text instead of making its own.
        first = canonical({key: value for key, value in parts.items() if key < "learned"})
        last = canonical({key: value for key, value in parts.items() if key > "learned"})
        tasks = learned[: max(ends[job.arrival] - 1, 0)]
        return content_id("job", f'{first[:-1]},"learned":[{tasks}],{last[1:]}')


def fit_recipe(
    inputs: RunInputs,
    learner: Learner,
    job: Job,
    start: LearnedTask | None,
    earlier: Sequence[LearnedTask],
    trial: Trial | None = None,
) -> Recipe:
    """Returns the recipe of a fit or search job.

    Args:
        learner: The learner of the job.
        start: The fit whose Delta it starts from; None if it does not start from an earlier fit.
        earlier: The earlier fits that succeeded, in order of arrival.
        trial: What is fitted of a learner with alternatives. None (default) is its first one, or a learner without
            alternatives.
    """
    if learner.selection is None:
        met = history(learner, earlier, inputs.data, inputs.scoring)
        return inputs.recipe(job, start.delta if start else None, met)
    kept = trial or Trial(candidate=learner.selection.alternatives[0].specification)
    return inputs.recipe(job, None, None, kept, recipe_of(learner.selection[kept.candidate].learner))


def history(
    learner: Learner, before: Sequence[LearnedTask], data: Mapping[str, str], scoring: Mapping[str, str]
) -> History | None:
    """Returns the tasks behind the state of a learner's trainer; None if the trainer keeps no state.

    These are the earlier successful fits with their data, and all tasks of the stream if the trainer needs them.

    Args:
        before: The earlier fits that succeeded, in order of arrival.
        data: Content id of each task's data, by task, in order of arrival.
        scoring: What computes the scores of each task, by task; empty in runs before TRAINING_FORMAT 6.
    """
    trainer = trainer_named(learner.trainer)
    if not trainer.keeps_state:
        return None
    return History(
        learned=tuple((*_scored_data(fit.task, data, scoring), fit.delta) for fit in before),
        foreseen=tuple(_scored_data(task, data, scoring) for task in data)
        if trainer.needs_full_stream(learner.trainer_config)
        else (),
    )


def _scored_data(task: str, data: Mapping[str, str], scoring: Mapping[str, str]) -> tuple[str, ...]:
    return (task, data[task], scoring[task]) if task in scoring else (task, data[task])
