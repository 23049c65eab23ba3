"""A workbench: the backbone, the learners and the data of a run, ready for jobs in this process."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import JsonValue

from learners.backbones.backbone import Backbone, Dtype, changed_tensor, load_backbone
from learners.forward.batches import BATCH_OVERHEAD, EVALUATION_TOKENS
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.training.fit import TRAINING_FORMAT
from learners.training.predict import EVALUATION_FORMAT
from stream.execution.activation_cache import ActivationCache
from stream.execution.workers import arithmetic
from stream.storage.facts import Override
from stream.storage.job import Job
from stream.storage.store import Store
from tasks.encoded import EncodedTask, open_encoded, sample
from tasks.errors import InputError
from tasks.examples import SPLITS, Limits
from tasks.seeds import seed_of

OPEN_TASKS = 32  # a task is 15 files, a process may often have 1,024 open; enough for the 26 tasks of the paper
THREADS = 1  # a process for each core beats threads on encoders of this size, and the sums stay in one order


_version = cache(version)  # milliseconds each, asked for with every job


class BackboneChanged(Exception):
    """A frozen tensor is not what it was: a defect, and the end of the run."""


@dataclass(frozen=True)
class Setup:
    """What a process needs to execute jobs: plain JSON values, handed to workers as they are."""

    backbone: str
    backbone_id: str
    dtype: Dtype
    learners: tuple[str, ...]  # specifications as written
    overrides: Mapping[str, Override]
    data: Mapping[str, str]  # task -> folder of its encoded arrays
    store: str
    seed: int
    train_examples: int | None
    test_examples: int | None
    validation_examples: int | None = None  # None: as test_examples
    keep: bool = False  # whether evaluations may share what frozen layers compute; not where they are to audit it
    ids: Mapping[str, str] = field(default_factory=dict)  # task -> content id of its data; where there are fits
    plugins: Sequence[Mapping[str, str]] = ()  # what its learners come from: fields of `tasks.registry.Origin`


@dataclass(eq=False)
class Workbench:
    """A backbone, the learners and the data, ready for jobs; of the data the tasks asked for last are held open;
    what trainers keep is as the last fit left it."""

    setup: Setup
    backbone: Backbone
    learners: Mapping[str, Learner]
    store: Store
    opened: dict[str, EncodedTask]
    kept: ActivationCache = field(default_factory=ActivationCache)
    trainer_states: dict[str, object] = field(default_factory=dict)  # by learner

    def data(self, name: str) -> EncodedTask:
        """A task's rows, capped by seeded samples that all learners share."""
        if name in self.opened:
            self.opened[name] = self.opened.pop(name)  # the last asked for
        else:
            setup, task = self.setup, open_encoded(Path(self.setup.data[name]))
            limits = Limits(setup.train_examples, setup.test_examples, setup.validation_examples)
            train, validation, test = (
                sample(getattr(task, split), limits.of(split), seed_of(setup.seed, name, "sample", split))
                for split in SPLITS
            )
            if len(self.opened) >= OPEN_TASKS:
                del self.opened[next(iter(self.opened))]
            self.opened[name] = replace(task, train=train, validation=validation, test=test)
        return self.opened[name]

    @property
    def numerics(self) -> dict[str, JsonValue]:
        return numerics(self.setup.dtype)

    def check_backbone(self, job: Job, copies: bool = True) -> None:
        """See that a job left the backbone as it was; `copies`: also the float32 weights where tuned ones begin.

        Raises:
            BackboneChanged: It did not; names the tensor.
        """
        if (name := changed_tensor(self.backbone, copies)) is not None:
            raise BackboneChanged(f"backbone {self.backbone.name}: tensor {name} changed during {job.id}")


def open_workbench(setup: Setup, backbone: Backbone | None = None) -> Workbench:
    """Load what a setup names; sets PyTorch to one thread.

    Raises:
        InputError: The backbone is no longer the one that the run was prepared with.
    """
    torch.set_num_threads(THREADS)
    backbone = backbone or load_backbone(setup.backbone, setup.dtype)
    if backbone.id != setup.backbone_id:
        expected, found = f"content {setup.backbone_id[:16]}", backbone.id[:16]
        raise InputError("the backbone changed meanwhile", where=setup.backbone, expected=expected, found=found)
    return Workbench(
        setup=setup,
        backbone=backbone,
        learners={name: parse_learner(name, setup.overrides) for name in setup.learners},
        store=Store(Path(setup.store)),
        opened={},
    )


def numerics(dtype: str) -> dict[str, JsonValue]:
    """Everything about the machine, and about how rows are put together, that may move the last bit of a logit."""
    return {
        "dtype": dtype,
        "device": "cpu",
        "threads": THREADS,
        "evaluation_tokens": EVALUATION_TOKENS,
        "evaluation_overhead": BATCH_OVERHEAD,
        "evaluation": EVALUATION_FORMAT,
        "training": TRAINING_FORMAT,
        "machine": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "settings": {**arithmetic()},
        **{name: _version(name) for name in ("torch", "transformers", "numpy")},
    }
