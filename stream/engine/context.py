"""Prepares a run: turns the settings into a stream, learners, a backbone and encoded data, or reports all errors."""

from __future__ import annotations

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
from learners.training.precision import slow_on_processor
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
from tasks.home import cache_folder, check_cache
from tasks.sources import Source, drawer, open_source
from tasks.suite import resolve_suite
from tasks.task import Task

T = TypeVar("T")
SLOW = "bfloat16 is several times slower than float32 on this processor; --dtype auto takes the faster one"
MANY = 50  # tasks; in a longer stream only every 50th gets a notice, so that other notices stay visible


@dataclass(frozen=True)
class TaskData:
    """Facts about an encoded task that stay in memory after its files are closed. A process may open fewer files than a
    stream has tasks.

    Attributes:
        task: The task.
        id: Content id of its data.
        path: Folder of its encoded arrays.
        train, validation, test: Number of rows of each split, before limits.
        notes: Notes about its data, for the results.
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
    """Everything that a run needs before its first job.

    Attributes:
        config: The settings.
        suite: Name of the suite.
        source: Source of the examples.
        stream: The tasks in order of arrival.
        learners: The learners, by specification.
        backbone: The loaded backbone.
        files: SHA-256 of each file of the backbone, by name.
        data: Facts about the encoded data of each task, by task.
        plugins: Plug-ins that the run uses. Default: none.
    """

    config: RunConfig
    suite: str
    source: Source
    stream: Stream
    learners: Mapping[str, Learner]
    backbone: Backbone
    files: Mapping[str, str]
    data: Mapping[str, TaskData]
    plugins: tuple[Used, ...] = ()

    @cached_property
    def inputs(self) -> RunInputs:
        """The inputs that the keys of all jobs are computed from."""
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
        """Returns the setup that workers need, as plain values.

        Paths are absolute, because a reused worker stays in the folder where it started. The name of a backbone from
        the hub contains the commit.
        """
        config = self.config
        origins = dict.fromkeys(used.origin for used in self.plugins if used.kind == "learner")
        return Setup(
            backbone=self._pinned_backbone(),
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
            share_activations=config.evaluate != "audited",
            data_ids=self.inputs.data,
            plugins=tuple(asdict(origin) for origin in origins),
        )

    def _pinned_backbone(self) -> str:
        """Returns a name with which every process finds the same files."""
        name, commit = self.config.backbone, self.backbone.commit
        if name in PACKAGED or commit is not None:
            return pinned_backbone({"name": name, "commit": commit})
        return str(self.backbone.folder.absolute())

    def facts(self) -> Facts:
        """Returns the facts about the run that the results repeat."""
        config, limits = self.config, limits_of(self.config)

        def capped(split: str, size: int) -> int:
            limit = limits.of(split)
            return size if limit is None else min(size, limit)

        def described(task: TaskData) -> TaskFacts:
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
                facts["ceiling"] = task.task.ceiling / 100  # a fraction, as scores are
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
    """Resolves all names (also those that plug-ins define), loads the backbone and encodes the data.

    Args:
        notice: Called with a text before each step that may take seconds. Default: does nothing.
        loaded: The backbone if it is already loaded. None (default) loads it.

    Raises:
        InputErrors: All errors in the settings, before any slow step; or all errors in learners and data.
        InputError: The backbone cannot be used, or rows are longer than it takes.
    """
    errors: list[InputError] = []

    def attempt(step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            errors.extend(error.errors)
        return None

    notes = attempt(partial(machine_notes, config))
    attempt(metrics)  # a file that defines no metric must be reported now, not after the training
    learners = attempt(lambda: parse_learners(config.learners, config.training_overrides))
    source = attempt(lambda: open_source(config.source, config.columns))
    resolved = attempt(lambda: resolve_suite(config.suite, source.names(), drawer(source))) if source else None
    stream = attempt(lambda: make_stream(resolved[1], config.order)) if resolved else None
    attempt(partial(check_name, config.backbone))
    if errors or not (learners and source and resolved and stream):
        raise InputErrors(errors)
    for name in stream.order:
        attempt(partial(source.task, name))  # report a task without data before the backbone is loaded
    if errors:
        raise InputErrors(errors)
    for note in notes or ():
        notice(note)
    if loaded is None:
        notice(f"loading backbone {config.backbone}")
    backbone = loaded or load_backbone(config.backbone, config.dtype)
    for note in backbone.notes:
        notice(note)
    files = file_digests(backbone.folder)
    longest = backbone.architecture.maximum_length
    for specification, learner in learners.items():
        if config.max_length + learner.prompt > longest:
            what, where = "rows are longer than the backbone accepts", f"--max-length {config.max_length}"
            prompt = f" with the prompt of {specification}" if learner.prompt else ""
            raise InputError(what, where=where + prompt, expected=f"at most {longest - learner.prompt} tokens")
    for learner in learners.values():
        attempt(partial(delta_shapes, learner, backbone.architecture, 2))
        if not errors:
            attempt(partial(encoder_of, backbone, learner))
        if learner.trainer_config:
            notice(f"checking {learner.trainer_config} of {learner.trainer}")
        attempt(partial(_check_trainer, learner))
    data: dict[str, TaskData] = {}
    for index, name in enumerate(order := stream.order):
        if len(order) <= MANY or index % MANY == 0:
            notice(f"encoding {name}" + (f" ({index + 1} of {len(order)})" if len(order) > MANY else ""))
        tokenizer = (backbone.tokenizer, backbone.tokenizer_id, config.max_length)
        task = attempt(partial(encode, source, name, *tokenizer, cache_folder(), limits_of(config)))
        if task is not None:
            train, validation, test = (len(getattr(task, split)) for split in SPLITS)
            data[name] = TaskData(task.task, task.id, task.path, train, validation, test, task.notes)
    if errors:
        raise InputErrors(errors)
    plugins = used_plugins(learners.values(), config.source.partition("+frames:")[0])
    return RunContext(config, resolved[0], source, stream, learners, backbone, files, data, plugins)


def machine_notes(config: RunConfig) -> list[str]:
    """Returns what a user should know about this machine: where caches are if there is no home folder, a slow dtype.

    Raises:
        InputError: The cache cannot be written.
    """
    return [note for note in (check_cache(), SLOW if slow_on_processor(config.dtype) else "") if note]


def limits_of(config: RunConfig) -> Limits:
    """Returns the most examples of each split that a run uses."""
    return Limits(config.train_examples, config.test_examples, config.validation_examples)


def _check_trainer(learner: Learner) -> None:
    trainer_named(learner.trainer).check(learner)
