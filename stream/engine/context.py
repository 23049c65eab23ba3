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
from learners.forward.forward import encoder_of
from learners.specification.family import parse_learners
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.training.trainer import trainer_named
from stream.config.settings import RunConfig
from stream.engine.stream import Stream, make_stream
from stream.execution.workbench import Setup, numerics
from stream.plugins.used import Used, used_plugins
from stream.results.document import Facts, environment
from stream.results.metrics import metrics
from stream.storage.facts import BackboneFacts, TaskFacts
from stream.storage.keys import RunInputs
from tasks.encode import encode
from tasks.errors import InputError, InputErrors
from tasks.examples import SPLITS, Limits
from tasks.sources import Source, drawer, open_source
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
    plugins: tuple[Used, ...] = ()

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
            validation_examples=config.other_validation,
            evaluate=config.evaluate,
            learners={name: recipe_of(learner) for name, learner in self.learners.items()},
            data={task: self.data[task].id for task in self.stream.order},
        )

    def setup(self) -> Setup:
        """What workers need, as plain values: paths in full, as a worker that is kept stays in the folder where it
        began, and of the hub the very commit."""
        config = self.config
        origins = dict.fromkeys(used.origin for used in self.plugins if used.kind == "learner")
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
            validation_examples=config.other_validation,
            keep=config.evaluate != "audited",
            ids=self.inputs.data,
            plugins=tuple(asdict(origin) for origin in origins),
        )

    def _backbone_again(self) -> str:
        """A name by which any process finds the same files."""
        name, commit = self.config.backbone, self.backbone.commit
        if name in PACKAGED or commit is not None:
            return pinned_backbone({"name": name, "commit": commit})
        return str(self.backbone.folder.absolute())

    def facts(self) -> Facts:
        """What the results say of the run itself."""
        config, limits = self.config, limits_of(self.config)

        def capped(split: str, size: int) -> int:
            limit = limits.of(split)
            return size if limit is None else min(size, limit)

        def described(task: Data) -> TaskFacts:
            facts: TaskFacts = {
                "metric": task.task.metric,
                "classes": task.task.outputs,
                "train": capped("train", task.train),
                "validation": capped("validation", task.validation),
                "test": capped("test", task.test),
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
        names = ["evaluate", "epochs", "batch_size", "learning_rate", "max_length", "train_examples", "test_examples"]
        names += [] if config.other_validation is None else ["validation_examples"]
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
            plugins=tuple(plugin.as_dict() for plugin in self.plugins),
        )


def prepare(
    config: RunConfig, notice: Callable[[str], None] = lambda text: None, loaded: Backbone | None = None
) -> RunContext:
    """Resolve names, those of the plug-ins in use too; load the backbone, encode the data.

    Args:
        notice: Told what is being done, as some of it takes seconds.
        loaded: The backbone, if the caller has loaded it.

    Raises:
        InputErrors: Everything wrong with the settings, found before anything slow is done.
        InputError: Something wrong with the backbone or a task's data.
    """
    errors: list[InputError] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            errors.extend(error.errors)
        return None

    attempt(metrics)  # a file that is none must not be found when all is trained
    learners = attempt(lambda: parse_learners(config.learners, config.training_overrides))
    source = attempt(lambda: open_source(config.source, config.columns))
    resolved = attempt(lambda: resolve_suite(config.suite, source.names(), drawer(source))) if source else None
    stream = attempt(lambda: make_stream(resolved[1], config.order)) if resolved else None
    attempt(partial(check_name, config.backbone))
    if errors or not (learners and source and resolved and stream):
        raise InputErrors(errors)
    for name in stream.order:
        attempt(partial(source.task, name))  # a task without data should not wait for the backbone
    if errors:
        raise InputErrors(errors)
    if loaded is None:
        notice(f"loading backbone {config.backbone}")
    backbone = loaded or load_backbone(config.backbone, config.dtype)
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
        if not errors:
            attempt(partial(encoder_of, backbone, learner))
        if learner.trainer_config:
            notice(f"looking for {learner.trainer_config} in {learner.trainer}")
        attempt(partial(_check_trainer, learner))
    data: dict[str, Data] = {}
    for index, name in enumerate(order := stream.order):
        if len(order) <= MANY or index % MANY == 0:
            notice(f"encoding {name}" + (f" ({index + 1} of {len(order)})" if len(order) > MANY else ""))
        tokenizer = (backbone.tokenizer, backbone.tokenizer_id, config.max_length)
        task = attempt(partial(encode, source, name, *tokenizer, cache_folder(), limits_of(config)))
        if task is not None:
            train, validation, test = (len(getattr(task, split)) for split in SPLITS)
            data[name] = Data(task.task, task.id, task.path, train, validation, test, task.notes)
    if errors:
        raise InputErrors(errors)
    plugins = used_plugins(learners.values(), config.source.partition("+frames:")[0])
    return RunContext(config, resolved[0], source, stream, learners, backbone, files, data, plugins)


def limits_of(config: RunConfig) -> Limits:
    """How many examples of each split a run uses at most."""
    return Limits(config.train_examples, config.test_examples, config.validation_examples)


def _check_trainer(learner: Learner) -> None:
    trainer_named(learner.trainer).check(learner)


def cache_folder() -> Path:
    """Where encoded tasks are kept for all runs: $TASKSTREAM_CACHE, else taskstream in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("TASKSTREAM_CACHE") or Path(base) / "taskstream") / "encoded"
