"""A stream of text tasks as a benchmark of Avalanche, of the very examples of `taskstream run`, and a model for it."""

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

STREAMS = {"train": "train", "valid": "validation", "test": "test"}  # Avalanche's name of each split
TIMELINE = ("classes_in_this_experience", "previous_classes", "classes_seen_so_far", "future_classes")


@dataclass(frozen=True, eq=False)
class TextBenchmark:
    """Encoded tasks in the order of their arrival, which numbers their task labels.

    Attributes:
        seed: Of the run; heads are drawn from it, by task name.
    """

    backbone: Backbone
    tasks: tuple[EncodedTask, ...]
    seed: int

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(each.task.name for each in self.tasks)

    def to_avalanche(self) -> CLScenario:
        """Avalanche's benchmark: `train_stream`, `valid_stream`, `test_stream`, an experience for each task, with task
        labels and the classes' timeline."""
        from stream.avalanche.library import benchmark_from_datasets, with_classes_timeline, with_task_labels
        from stream.avalanche.rows import avalanche_dataset

        streams = {
            stream: [
                avalanche_dataset(getattr(each, split), each.task, label, self.backbone.pad_id)
                for label, each in enumerate(self.tasks)
            ]
            for stream, split in STREAMS.items()
        }
        made = with_classes_timeline(with_task_labels(benchmark_from_datasets(**streams)))
        for experience in chain.from_iterable(made.streams.values()):
            for name in TIMELINE:  # Avalanche leaves sets, by which its MultiHeadClassifier cannot index
                setattr(experience, name, sorted(getattr(experience, name)))
        return made

    def model(self) -> Classifier:
        """A copy of the backbone to be trained, and a head for each task, begun as `full:sequential` begins.

        All heads are there from the start, so that an optimiser has them in the groups it was given.
        """
        from learners.delta.initial import initial_trainable
        from learners.specification.family import parse_learner
        from stream.avalanche.model import Classifier, Surroundings

        learner = parse_learner("full:sequential", {})

        def first_head(label: int) -> tuple[Tensor, Tensor]:
            trainable = initial_trainable(self.backbone, learner, self.tasks[label].task, self.seed)
            return trainable["head.weight"], trainable["head.bias"]

        model = Classifier(Surroundings(self.backbone, learner, first_head))
        model.adaptation(SimpleNamespace(task_labels=range(len(self.tasks))))
        return model

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The criterion of a strategy: cross-entropy, and the squared error of regressions; a batch may mix tasks."""
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
    columns: dict[str, str] | None = None,
) -> TextBenchmark:
    """The 26 tasks of Houlsby et al. (2019), or other ones: the options of `taskstream run` that say which examples.

    Equal options give the rows of a run, in its splits and in its order.

    Raises:
        tasks.errors.InputError, tasks.errors.InputErrors: Bad settings or data.
    """
    from stream.config.resolve import resolve_config
    from stream.engine.context import prepare
    from stream.execution.workbench import Workbench
    from stream.storage.store import Store

    given: dict[str, Any] = {
        "suite": suite if isinstance(suite, str) else ",".join(suite),
        "order": order if isinstance(order, str) else ",".join(order),
        "source": source, "backbone": backbone, "max_length": max_length, "seed": seed, "columns": columns,
        "train_examples": train_examples, "validation_examples": validation_examples, "test_examples": test_examples,
        "learners": "head",
    }  # fmt: skip
    config, _ = resolve_config(given, origin="call")
    prepared = prepare(config)
    bench = Workbench(prepared.setup(), prepared.backbone, prepared.learners, Store(config.store_folder), {})
    tasks = (bench.data(name) for name in prepared.stream.order)
    return TextBenchmark(prepared.backbone, tuple(map(_closed, tasks)), config.seed)


def in_memory(split: EncodedSplit) -> EncodedSplit:
    """A copy whose files need not stay open as long as its rows may be used: a task is 15, a process may open 1,024."""
    return split.select(np.arange(len(split)))


def _closed(data: EncodedTask) -> EncodedTask:
    train, validation, test = map(in_memory, (data.train, data.validation, data.test))
    return replace(data, train=train, validation=validation, test=test)
