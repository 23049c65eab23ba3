"""Prepares a run: turns the settings into a stream, learners, a backbone and encoded data, or reports all errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from learners.backbones.backbone import Backbone, load_backbone, load_tokenizer_of
from learners.backbones.fingerprint import file_digests
from learners.backbones.locate import PACKAGED, find_checkpoint, pinned_backbone, split_pooling, with_pooling
from learners.backbones.tokenizer import tokenizer_digest
from learners.device import CPU, device_named
from learners.specification.recipe import recipe_of
from learners.training.precision import slow_on_processor
from stream.config.settings import SEARCH, RunConfig
from stream.engine.attempts import Attempts
from stream.engine.known import KnownBackbone, known_numerics, known_of
from stream.engine.learner_checks import applicable, check_learners
from stream.engine.pack_size import automatic_pack
from stream.engine.resolve import Resolved, resolve
from stream.engine.task_data import TaskData, facts_about, twins_of
from stream.execution.workbench import Setup
from stream.plugins.used import Used, used_plugins
from stream.results.document import Facts, environment
from stream.results.notes import data_notes
from stream.storage.facts import BackboneFacts, TaskFacts
from stream.storage.keys import RunInputs, twin_of
from stream.storage.remembered import remembered
from tasks.encode import encode, encoded_before
from tasks.encoded import EncodedTask
from tasks.errors import InputError
from tasks.examples import Limits
from tasks.home import cache_folder, check_cache, facts_folder
from tasks.metrics import scoring
from tasks.sources import Source, generated
from tasks.tokenizer import Tokenizer
from tasks.unseen import refuse_unseen

T = TypeVar("T")
SLOW = "bfloat16 is several times slower than float32 on this processor; --dtype auto takes the faster one"
MANY = 50  # tasks; in a longer stream only every 50th gets a notice, so that other notices stay visible


@dataclass(frozen=True, eq=False)
class RunContext(Resolved):
    """Everything that a run needs before its first job.

    Attributes:
        config: The settings.
        known: Facts about the backbone.
        folder, commit: Folder of the backbone's files, and the commit of its repository (None: it is not from the hub).
        files: SHA-256 of each file of the backbone, by name.
        data: Facts about the encoded data of each task, by task.
        numerics: Numerics of this process.
        plugins: Plug-ins that the run uses. Default: none.
        twins: Facts about the simulated twin of each task, by `twin_of` of the task, if a learner chooses on twins.
            Default: none.
        loaded: The backbone if it had to be loaded. Default: None.
    """

    config: RunConfig
    known: KnownBackbone
    folder: Path
    commit: str | None
    files: Mapping[str, str]
    data: Mapping[str, TaskData]
    numerics: Mapping[str, JsonValue]
    plugins: tuple[Used, ...] = ()
    twins: Mapping[str, TaskData] = field(default_factory=dict)
    loaded: Backbone | None = None

    @cached_property
    def backbone(self) -> Backbone:
        """The backbone. Loading it takes seconds, and only jobs in this process need it."""
        name, dtype = self.config.backbone, self.config.dtype
        return self.loaded or replace(load_backbone(self._pinned_backbone(), dtype), name=name)

    @cached_property
    def inputs(self) -> RunInputs:
        """The inputs that the keys of all jobs are computed from."""
        config = self.config
        return RunInputs(
            backbone=self.known.id,
            files=self.files,
            numerics=self.numerics,
            seed=config.seed,
            data_seed=config.data_seed,
            train_examples=config.train_examples,
            test_examples=config.test_examples,
            validation_examples=config.other_validation,
            evaluate=config.evaluate,
            scoring={task: scoring(self.data[task].task) for task in self.stream.order},
            learners={name: recipe_of(learner) for name, learner in self.learners.items()},
            data={task: self.data[task].id for task in self.stream.order},
            twins={name: (twin.id, scoring(twin.task)) for name, twin in self.twins.items()} or None,
        )

    @property
    def data_notes(self) -> list[str]:
        """The notes on data that was read, for the terminal. The notes of generated data only say how it was made."""
        read = {name: task.notes for name, task in self.data.items() if not generated(self.source, name)}
        return data_notes(read)

    def setup(self) -> Setup:
        """Returns the setup that workers need, as plain values.

        Paths are absolute, because a reused worker stays in the folder where it started. The name of a backbone from
        the hub contains the commit.
        """
        config = self.config
        origins = dict.fromkeys(used.origin for used in self.plugins if used.kind == "learner")
        return Setup(
            backbone=self._pinned_backbone(),
            backbone_id=self.known.id,
            dtype=config.dtype,
            device=device_named(config.device),
            pack=config.slots,
            learners=tuple(self.learners),
            overrides=config.training_overrides,
            data={name: str(task.path.absolute()) for name, task in {**self.data, **self.twins}.items()},
            store=str(config.store_folder.absolute()),
            seed=config.seed,
            data_seed=config.data_seed,
            train_examples=config.train_examples,
            test_examples=config.test_examples,
            validation_examples=config.other_validation,
            share_activations=config.evaluate != "audited",
            share_scores=str(config.out_folder.absolute()) if config.evaluate == "audited" else "",
            data_ids=self.inputs.data,
            scoring=self.inputs.scoring,
            numerics=self.numerics,
            plugins=tuple(asdict(origin) for origin in origins),
        )

    def _pinned_backbone(self) -> str:
        """Returns a name with which every process finds the same files."""
        name, commit = self.config.backbone, self.commit
        plain, pooling = split_pooling(name)
        if plain in PACKAGED or commit is not None:
            return pinned_backbone({"name": name, "commit": commit})
        return with_pooling(str(self.folder.absolute()), pooling)

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
            "id": self.known.id,
            "parameters": self.known.parameters,
            "pooling": self.known.pooling,
        }
        if self.commit is not None:
            backbone["commit"] = self.commit
        names = ["evaluate", "epochs", "batch_size", "learning_rate", "max_length", "train_examples", "test_examples"]
        names.append("data_seed")
        names += [] if config.other_validation is None else ["validation_examples"]
        names += [name for name in SEARCH if getattr(config, name) is not None]
        on_device = () if device_named(config.device) == CPU else ("device",)  # earlier runs have no such setting
        return Facts(
            suite=self.suite,
            source=self.source.name,
            backbone=backbone,
            order=self.stream.order,
            seed=config.seed,
            tasks={name: described(self.data[name]) for name in self.stream.order},
            learners=self.learners,
            settings={name: getattr(config, name) for name in (*names, "dtype", *on_device)},
            environment=environment(self.numerics, self.learners.values()),
            plugins=tuple(plugin.as_dict() for plugin in self.plugins),
        )


def prepare(
    config: RunConfig,
    notice: Callable[[str], None] = lambda text: None,
    loaded: Backbone | None = None,
    resolved: Resolved | None = None,
) -> RunContext:
    """Finds the backbone and encodes the data. What the user's cache has from earlier runs is neither loaded nor
    encoded again.

    Args:
        notice: Called with a text before each step that may take seconds. Default: does nothing.
        loaded: The backbone if it is already loaded. Default: None.
        resolved: What `resolve` returned for these settings. None (default) calls it.

    Raises:
        InputErrors: All errors in the settings, before any slow step; or all errors in learners and data.
        InputError: The backbone cannot be used, or rows are longer than it takes.
    """
    named = resolved or resolve(config)
    attempt, source = Attempts(), named.source
    for note in (*machine_notes(config), *named.notes):
        notice(note)

    def load() -> Backbone:
        nonlocal loaded
        if loaded is None:
            notice(f"loading backbone {config.backbone}")
            loaded = load_backbone(config.backbone, config.dtype)
        return loaded

    if config.pack == "auto":  # a new run on a graphics card
        slots = automatic_pack(load(), named.learners.values(), config.max_length, device_named(config.device))
        config = config.model_copy(update={"pack": slots})
        notice(f"packs of {slots} Deltas")
    # Before PyTorch is loaded for the backbone.
    numerics = known_numerics(config.dtype, device_named(config.device), config.slots, facts_folder())
    if loaded is None:
        checkpoint = find_checkpoint(config.backbone)
        folder, commit, files = checkpoint.folder, checkpoint.commit, file_digests(checkpoint.folder, checkpoint.hashed)
        content = {"files": files, "pooling": checkpoint.pooling}
        known = remembered(KnownBackbone, content, facts_folder(), partial(_facts_of, load, folder, files))
    else:
        folder, commit, files, known = loaded.folder, loaded.commit, file_digests(loaded.folder), known_of(loaded)
    for note in known.notes:
        notice(note)
    named = replace(
        named, learners={name: applicable(learner, known, notice) for name, learner in named.learners.items()}
    )
    check_learners(attempt, named.learners, known, config.max_length, load, notice)
    data: dict[str, TaskData] = {}
    tokenizer = cache(lambda: loaded.tokenizer if loaded else _tokenizer(config.backbone, known))

    def encoded(name: str, index: int, source: Source = source) -> EncodedTask:
        entry = (known.tokenizer_id, config.max_length, cache_folder(), limits_of(config))
        if (found := encoded_before(source, name, *entry)) is not None:
            return found
        if len(order) <= MANY or index % MANY == 0:
            notice(f"encoding {name}" + (f" ({index + 1} of {len(order)})" if len(order) > MANY else ""))
        return encode(source, name, tokenizer(), *entry)

    for index, name in enumerate(order := named.stream.order):
        task = attempt(partial(encoded, name, index))
        if task is not None:
            if config.unseen_labels == "refuse":
                attempt(partial(refuse_unseen, name, task.unseen))
            data[name] = facts_about(task)
    twins: dict[str, TaskData] = {}
    if any(learner.selection is not None and learner.selection.scope == "twin" for learner in named.learners.values()):
        simulated = attempt(partial(twins_of, source, order))
        for index, name in enumerate(order):
            if simulated is not None and (twin := attempt(partial(encoded, name, index, simulated))) is not None:
                twins[twin_of(name)] = facts_about(twin)
    attempt.check()
    plugins = used_plugins(named.learners.values(), config.source.partition("+frames:")[0])
    context = RunContext(**vars(named), config=config, known=known, folder=folder, commit=commit, files=files,
                         data=data, numerics=numerics, plugins=plugins, twins=twins, loaded=loaded)  # fmt: skip
    for note in context.data_notes:
        notice(note)
    return context


def _facts_of(load: Callable[[], Backbone], folder: Path, files: Mapping[str, str]) -> KnownBackbone:
    backbone = load()
    if file_digests(folder) != files:
        what, fix = "files of the backbone changed while it was loaded", "run the command again"
        raise InputError(what, where=str(folder), fix=fix)
    return known_of(backbone)


def _tokenizer(name: str, known: KnownBackbone) -> Tokenizer:
    tokenizer = load_tokenizer_of(name)
    if (found := tokenizer_digest(tokenizer, known.architecture)) != known.tokenizer_id:
        what, expected = "the tokenizer changed while it was loaded", f"content {known.tokenizer_id[:16]}"
        raise InputError(what, where=name, expected=expected, found=found[:16], fix="run the command again")
    return tokenizer


def machine_notes(config: RunConfig) -> list[str]:
    """Returns what a user should know about this machine: where caches are if there is no home folder, a slow dtype.

    Raises:
        InputError: The cache cannot be written.
    """
    slow = device_named(config.device) == CPU and slow_on_processor(config.dtype)
    return [note for note in (check_cache(), SLOW if slow else "") if note]


def limits_of(config: RunConfig) -> Limits:
    """Returns the most examples of each split that a run uses."""
    return Limits(config.train_examples, config.test_examples, config.validation_examples)
