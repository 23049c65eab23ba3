"""A stream of text tasks as an Avalanche benchmark, with the same examples as `taskstream run`, and a model for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from learners.backbones.backbone import Backbone
    from stream.avalanche.library import CLScenario
    from stream.avalanche.model import Classifier
    from tasks.encoded import EncodedSplit, EncodedTask

STREAMS = {"train": "train", "valid": "validation", "test": "test"}  # Avalanche's name of each split, and ours
TIMELINE = ("classes_in_this_experience", "previous_classes", "classes_seen_so_far", "future_classes")


@dataclass(frozen=True, eq=False)
class TextBenchmark:
    """A backbone and encoded tasks.

    Attributes:
        tasks: Tasks in order of arrival. The place of a task, from 0, is its task label in Avalanche.
        seed: Seed of the run. The initial heads depend on it and on the task's name.
    """

    backbone: Backbone
    tasks: tuple[EncodedTask, ...]
    seed: int

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(each.task.name for each in self.tasks)

    def to_avalanche(self) -> CLScenario:
        """Returns an Avalanche benchmark with `train_stream`, `valid_stream` and `test_stream`.

        Each stream has one experience per task, with task labels and the classes' timeline.
        """
        from stream.avalanche.library import benchmark_from_datasets, with_classes_timeline, with_task_labels
        from stream.avalanche.rows import avalanche_dataset

        streams = {
            stream: [
                avalanche_dataset(getattr(each, split), each.task, label, self.backbone.pad_id)
                for label, each in enumerate(self.tasks)
            ]
            for stream, split in STREAMS.items()
        }
        benchmark = with_classes_timeline(with_task_labels(benchmark_from_datasets(**streams)))
        for experience in chain.from_iterable(benchmark.streams.values()):
            for name in TIMELINE:  # these are sets, but Avalanche's MultiHeadClassifier needs lists as indices
                setattr(experience, name, sorted(getattr(experience, name)))
        return benchmark

    def model(self) -> Classifier:
        """Returns a trainable copy of the backbone with a head for each task. It starts as `full:sequential` starts.

        All heads exist from the start, so an optimiser of its parameters has them too.
        """
        from learners.delta.initial import initial_trainable
        from learners.specification.family import parse_learner
        from stream.avalanche.model import Classifier, SharedState

        learner = parse_learner("full:sequential", {})

        def first_head(label: int) -> tuple[Tensor, Tensor]:
            trainable = initial_trainable(self.backbone, learner, self.tasks[label].task, self.seed)
            return trainable["head.weight"], trainable["head.bias"]

        model = Classifier(SharedState(self.backbone, learner, first_head))
        model.adaptation(SimpleNamespace(task_labels=range(len(self.tasks))))
        return model

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The criterion for a strategy: cross-entropy, or squared error for a regression. A batch may mix tasks."""
        from stream.avalanche.model import loss_of

        return loss_of(output, target)


def houlsby26(
    *,
    suite: str | Sequence[str] = "houlsby26",
    source: str = "simulated",
    order: str | Sequence[str] = "paper",
    backbone: str = "embedded",
    max_length: int = 128,
    train_examples: int | None = None,
    validation_examples: int | None = None,
    test_examples: int | None = None,
    seed: int = 0,
    unseen_labels: str = "keep",
    columns: dict[str, str] | None = None,
) -> TextBenchmark:
    """Makes a benchmark of the 26 tasks of Houlsby et al. (2019), or of other tasks.

    The arguments are those options of `taskstream run` that choose the examples, with the same defaults. Equal options
    give the same rows as a run, in the same splits and the same order.

    Raises:
        tasks.errors.InputError, tasks.errors.InputErrors: The settings or the data are not valid.
    """
    from stream.config.resolve import resolve_config
    from stream.engine.context import prepare
    from stream.execution.workbench import Workbench
    from stream.storage.store import Store

    settings: dict[str, Any] = {
        "suite": suite if isinstance(suite, str) else ",".join(suite),
        "order": order if isinstance(order, str) else ",".join(order),
        "source": source, "backbone": backbone, "max_length": max_length, "seed": seed, "columns": columns,
        "train_examples": train_examples, "validation_examples": validation_examples, "test_examples": test_examples,
        "learners": "head", "unseen_labels": unseen_labels,
    }  # fmt: skip
    config, _ = resolve_config(settings, origin="call")
    prepared = prepare(config)
    bench = Workbench(prepared.setup(), prepared.backbone, prepared.learners, Store(config.store_folder), {})
    tasks = (bench.data(name) for name in prepared.stream.order)
    return TextBenchmark(prepared.backbone, tuple(map(_in_memory, tasks)), config.seed)


def in_memory(split: EncodedSplit) -> EncodedSplit:
    """Returns a copy of a split in memory, so that its files can be closed.

    A task has 15 files, and a process may open only 1,024.
    """
    return split.select(np.arange(len(split)))


def _in_memory(data: EncodedTask) -> EncodedTask:
    train, validation, test = map(in_memory, (data.train, data.validation, data.test))
    return replace(data, train=train, validation=validation, test=test)
