"""What the jobs of a run rest on, and the key by which a result counts only for equal inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from pydantic import JsonValue

from learners.specification.learner import Learner
from learners.specification.recipe import trainer_in
from learners.training.trainer import trainer_named
from stream.storage.fits import History, LearnedTask, Recipe
from stream.storage.job import Job
from stream.storage.plain import ABSENT
from tasks.content import canonical, content_id


@dataclass(frozen=True)
class RunInputs:
    """Plain values, written into the ledger at the beginning, so that anybody can recompute every key from it.

    Attributes:
        backbone: Content id.
        files: SHA-256 of each of the backbone's files, by name; not part of a key, which rests on what they hold.
        numerics: All that may move the last bit of a logit (`stream.execution.workbench.numerics`).
        learners: Settings of each learner, by specification.
        data: Content id of each task, in order of arrival.
        validation_examples: Only where it is another limit than `test_examples`, which else holds for both.
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

    @cached_property
    def _learned(self) -> tuple[str, tuple[int, ...]]:
        """Name and data id of all tasks in order of arrival, as JSON without its brackets; where each arrival ends."""
        texts = [canonical([task, data]) for task, data in self.data.items()]
        return ",".join(texts), tuple(accumulate((len(text) + 1 for text in texts), initial=0))

    @cached_property
    def _full_stream(self) -> frozenset[str]:
        """Learners whose every result rests on all tasks of the stream."""
        named = {name: trainer_in(learner) for name, learner in self.learners.items()}
        return frozenset(name for name, (own, config) in named.items() if trainer_named(own).needs_full_stream(config))

    def recipe(self, job: Job, previous: str | None, met: History | None = None) -> Recipe:
        """The recipe of a job's fit.

        Args:
            previous: Id of the Delta that it goes on from.
            met: As `history` gives it.
        """
        (task,) = job.tasks
        return Recipe(
            backbone=self.backbone,
            data=self.data[task],
            learner=self.learners[job.learner],
            task=task,
            seed=self.seed,
            train_examples=self.train_examples,
            test_examples=self.test_examples,
            validation_examples=self.validation_examples,
            previous=previous,
            numerics=self.numerics,
            met=met,
        )

    def key(self, job: Job) -> str:
        """Id of all that the job's result rests on; a result in the ledger counts only under an equal key."""
        parts = {
            "backbone": self.backbone,
            "numerics": self.numerics,
            "seed": self.seed,
            "train_examples": self.train_examples,
            "test_examples": self.test_examples,
            "learner": self.learners[job.learner],
            "kind": job.kind,
            "evaluate": self.evaluate,
            "tasks": [[task, self.data[task]] for task in job.tasks],
        }
        if self.validation_examples is not None:
            parts["validation_examples"] = self.validation_examples
        if job.learner in self._full_stream:
            parts["foreseen"] = [*self.data.items()]
        learned, ends = self._learned
        # The canonical text with "learned" in its place among the sorted keys. It grows with the stream, so it is cut
        # from one text rather than made for each job.
        first = canonical({key: value for key, value in parts.items() if key < "learned"})
        last = canonical({key: value for key, value in parts.items() if key > "learned"})
        tasks = learned[: max(ends[job.arrival] - 1, 0)]
        return content_id("job", f'{first[:-1]},"learned":[{tasks}],{last[1:]}')


def history(learner: Learner, before: Sequence[LearnedTask], data: Mapping[str, str]) -> History | None:
    """What the state of a learner's trainer rests on: all good fits before with their data, and all tasks of the stream
    where it needs them; None of a trainer that keeps no state.

    Args:
        before: The good fits before.
        data: Content id of the data of each task of the stream, in order of arrival.
    """
    trainer = trainer_named(learner.trainer)
    if not trainer.keeps_state:
        return None
    return History(
        learned=tuple((fit.task, data[fit.task], fit.delta) for fit in before),
        foreseen=tuple(data.items()) if trainer.needs_full_stream(learner.trainer_config) else (),
    )
