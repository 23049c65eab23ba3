"""Preparation of a run: settings become a stream, learners, a backbone and encoded data, or all errors at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.fingerprint import file_digests
from learners.backbones.locate import PACKAGED, check_name, pinned_backbone
from learners.delta.layout import delta_shapes
from learners.delta.peft_modules import injected_model
from learners.specification.family import parse_learners
from learners.specification.learner import Learner
from stream.avalanche.held import check_strategy
from stream.config import RunConfig
from stream.engine.stream import Stream, make_stream
from stream.execution.workbench import Setup, numerics
from stream.results.document import Facts, environment
from stream.storage.facts import BackboneFacts, TaskFacts
from stream.storage.keys import RunInputs
from tasks.encode import encode
from tasks.errors import InputError, InputErrors
from tasks.examples import SPLITS, Limits
from tasks.sources import SimulatedSource, Source, open_source
from tasks.suite import resolve_suite
from tasks.task import Task

T = TypeVar("T")
MANY = 50  # tasks; of a longer stream every fiftieth is told of, or notices would hide what matters


@dataclass(frozen=True)
class Data:
    """What is known of an encoded task once it is closed again: a stream may have more tasks than a process files.

    Attributes:
        train, validation, test: Rows, before any cap.
    """

    task: Task
    id: str
    path: Path
    train: int
    validation: int
    test: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RunContext:
    """Everything a run needs before its first job."""

    config: RunConfig
    suite: str
    source: Source
    stream: Stream
    learners: Mapping[str, Learner]
    backbone: Backbone
    files: Mapping[str, str]  # SHA-256 of what the backbone was read from
    data: Mapping[str, Data]

    @cached_property
    def inputs(self) -> RunInputs:
        """What every job rests on."""
        config = self.config
        return RunInputs(
            backbone=self.backbone.id,
            files=self.files,
            numerics=numerics(config.dtype),
            seed=config.seed,
            train_examples=config.train_examples,
            test_examples=config.test_examples,
            evaluate=config.evaluate,
            learners={name: asdict(learner) for name, learner in self.learners.items()},
            data={task: self.data[task].id for task in self.stream.order},
        )

    def setup(self) -> Setup:
        """What workers need, as plain values: paths in full, as a worker that is kept stays in the folder where it
        began, and of the hub the very commit."""
        config = self.config
        return Setup(
            backbone=self._backbone_again(),
            backbone_id=self.backbone.id,
            dtype=config.dtype,
            learners=tuple(self.learners),
            overrides=config.training_overrides,
            data={name: str(task.path.absolute()) for name, task in self.data.items()},
            store=str(config.store_folder.absolute()),
            seed=config.seed,
            train_examples=config.train_examples,
            test_examples=config.test_examples,
            keep=config.evaluate != "audited",
            ids=self.inputs.data,
        )

    def _backbone_again(self) -> str:
        """A name by which any process finds the same files."""
        name, commit = self.config.backbone, self.backbone.commit
        if name in PACKAGED or commit is not None:
            return pinned_backbone({"name": name, "commit": commit})
        return str(self.backbone.folder.absolute())

    def facts(self) -> Facts:
        """What the results say of the run itself."""
        config = self.config

        def capped(size: int, limit: int | None) -> int:
            return size if limit is None else min(size, limit)

        def described(task: Data) -> TaskFacts:
            facts: TaskFacts = {
                "metric": task.task.metric,
                "classes": task.task.outputs,
                "train": capped(task.train, config.train_examples),
                "validation": capped(task.validation, config.test_examples),
                "test": capped(task.test, config.test_examples),
                "kind": task.task.kind,
                "data_id": task.id,
                "notes": list(task.notes),
            }
            if task.task.ceiling is not None:
                facts["ceiling"] = task.task.ceiling / 100  # as scores are
            return facts

        backbone: BackboneFacts = {
            "name": config.backbone,
            "id": self.backbone.id,
            "parameters": self.backbone.parameters,
            "pooling": self.backbone.pooling,
        }
        if self.backbone.commit is not None:
            backbone["commit"] = self.backbone.commit
        names = ("evaluate", "epochs", "batch_size", "learning_rate", "max_length", "train_examples", "test_examples")
        return Facts(
            suite=self.suite,
            source=self.source.name,
            backbone=backbone,
            order=self.stream.order,
            seed=config.seed,
            tasks={name: described(self.data[name]) for name in self.stream.order},
            learners=self.learners,
            settings={name: getattr(config, name) for name in (*names, "dtype")},
            environment=environment(numerics(config.dtype), self.learners.values()),
        )


def prepare(config: RunConfig, notice: Callable[[str], None] = lambda text: None) -> RunContext:
    """Resolve names, load the backbone, encode the data.

    Args:
        notice: Told what is being done, as some of it takes seconds.

    Raises:
        InputErrors: Everything wrong with the settings, found before anything slow is done.
        InputError: Something wrong with the backbone or a task's data.
    """
    errors: list[InputError] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            errors.append(error)
        except InputErrors as several:
            errors.extend(several.errors)
        return None

    learners = attempt(lambda: parse_learners(config.learners, config.training_overrides))
    source = attempt(lambda: open_source(config.source, config.columns))
    draw = source.draw if isinstance(source, SimulatedSource) else None
    resolved = attempt(lambda: resolve_suite(config.suite, source.names(), draw)) if source else None
    stream = attempt(lambda: make_stream(resolved[1], config.order)) if resolved else None
    attempt(partial(check_name, config.backbone))
    if errors or not (learners and source and resolved and stream):
        raise InputErrors(errors)
    for name in stream.order:
        attempt(partial(source.task, name))  # a task without data should not wait for the backbone
    if errors:
        raise InputErrors(errors)
    notice(f"loading backbone {config.backbone}")
    backbone = load_backbone(config.backbone, config.dtype)
    for note in backbone.notes:
        notice(note)
    files = file_digests(backbone.folder)
    longest = backbone.architecture.maximum_length
    for specification, learner in learners.items():
        if config.max_length + learner.prompt > longest:
            what, where = "rows would be longer than the backbone takes", f"--max-length {config.max_length}"
            prompt = f" with the prompt of {specification}" if learner.prompt else ""
            raise InputError(what, where=where + prompt, expected=f"at most {longest - learner.prompt} tokens")
    for learner in learners.values():
        attempt(partial(delta_shapes, learner, backbone.architecture, 2))
        if learner.peft and not errors:
            attempt(partial(injected_model, backbone, learner.peft))
        if learner.avalanche:
            notice(f"looking for {learner.avalanche} in avalanche")
            attempt(partial(check_strategy, learner))
    data: dict[str, Data] = {}
    for index, name in enumerate(order := stream.order):
        if len(order) <= MANY or index % MANY == 0:
            notice(f"encoding {name}" + (f" ({index + 1} of {len(order)})" if len(order) > MANY else ""))
        tokenizer = (backbone.tokenizer, backbone.tokenizer_id, config.max_length)
        limits = Limits(config.train_examples, config.test_examples)
        task = attempt(partial(encode, source, name, *tokenizer, cache_folder(), limits))
        if task is not None:
            train, validation, test = (len(getattr(task, split)) for split in SPLITS)
            data[name] = Data(task.task, task.id, task.path, train, validation, test, task.notes)
    if errors:
        raise InputErrors(errors)
    return RunContext(config, resolved[0], source, stream, learners, backbone, files, data)


def cache_folder() -> Path:
    """Where encoded tasks are kept for all runs: $TASKSTREAM_CACHE, else taskstream in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("TASKSTREAM_CACHE") or Path(base) / "taskstream") / "encoded"
