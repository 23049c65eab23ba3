"""A workbench: the backbone, the learners, the data and the store of a run, loaded in a process that executes jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from learners.backbones.backbone import Backbone, Dtype, changed_tensor, load_backbone, placed
from learners.delta.layout import has_layout
from learners.device import prepare
from learners.specification.alternatives import restricted
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from stream.execution.numerics import THREADS, changes, numerics
from stream.storage.facts import Override
from stream.storage.job import Job
from stream.storage.store import Store
from tasks.content import canonical
from tasks.encoded import EncodedTask, open_encoded, sample
from tasks.errors import InputError
from tasks.examples import SPLITS, Limits
from tasks.home import facts_folder
from tasks.seeds import seed_of

if TYPE_CHECKING:
    from stream.execution.activation_cache import ActivationCache

OPEN_TASKS = 32  # a task has 15 files, and a process may often open only 1,024; the paper has 26 tasks


class BackboneChanged(Exception):
    """A tensor of the backbone changed, which is a defect. This ends the run."""


@dataclass(frozen=True)
class Setup:
    """Everything that a process needs to execute jobs, as plain JSON values. Workers receive it as JSON.

    Attributes:
        backbone: Name or folder of the backbone.
        backbone_id: Content id of the backbone.
        dtype: Dtype of the backbone.
        device: Full name of the device that computes. Default: "cpu".
        pack: Number of Deltas that go through the encoder together, if their learner allows it. Default: 1.
        learners: Specifications of the learners as the user wrote them.
        overrides: Training settings that apply to all learners.
        data: Folder of the encoded arrays of each task, by task.
        store: Folder of the store.
        seed: Seed of the run.
        train_examples, test_examples: Most examples used of these splits; None is all.
        validation_examples: Most examples used of the validation split. None (default): as `test_examples`.
        data_seed: Seed that draws the examples of a split with a limit. Default: 0.
        share_activations: Whether evaluations may share the activations of frozen layers. False (default) for audited
            runs, because an audit must compute everything itself.
        share_scores: Folder of the run if an evaluation that another run on the store has measured is certified instead
            of repeated, as in audited runs; "" (default) if it is repeated.
        data_ids: Content id of the data of each task, by task; needed for fits. Default: empty.
        scoring: What computes the scores of each task (`tasks.metrics.scoring`), by task; needed for fits. Default:
            empty.
        numerics: Numerics that the run was prepared with. A process with others does none of its jobs. Empty (default):
            not compared.
        plugins: Origins of the learners' plug-ins, as fields of `tasks.registry.Origin`. Default: none.
    """

    backbone: str
    backbone_id: str
    dtype: Dtype
    learners: tuple[str, ...]
    overrides: Mapping[str, Override]
    data: Mapping[str, str]
    store: str
    seed: int
    train_examples: int | None
    test_examples: int | None
    validation_examples: int | None = None
    data_seed: int = 0
    share_activations: bool = False
    share_scores: str = ""
    data_ids: Mapping[str, str] = field(default_factory=dict)
    scoring: Mapping[str, str] = field(default_factory=dict)
    numerics: Mapping[str, JsonValue] = field(default_factory=dict)
    plugins: Sequence[Mapping[str, str]] = ()
    device: str = "cpu"
    pack: int = 1


@dataclass(eq=False)
class Workbench:
    """The loaded objects that jobs use.

    Attributes:
        setup: The setup from which the workbench was made.
        backbone: The loaded backbone.
        learners: The learners, by specification.
        store: The store.
        opened: The tasks used most recently, by name, oldest use first; at most `OPEN_TASKS`.
        activation_cache: Activations of frozen layers on test rows.
        trainer_states: State of each learner's trainer after its last fit in this process, by learner.
        numerics: Numerics of this process; needed for fits. Default: empty.
    """

    setup: Setup
    backbone: Backbone
    learners: Mapping[str, Learner]
    store: Store
    opened: dict[str, EncodedTask]
    activation_cache: ActivationCache = field(default_factory=lambda: _activation_cache())
    trainer_states: dict[str, object] = field(default_factory=dict)
    numerics: Mapping[str, JsonValue] = field(default_factory=dict)

    def data(self, name: str) -> EncodedTask:
        """Returns the rows of a task. If a split has a limit, they are a seeded sample, the same for all learners."""
        if name in self.opened:
            self.opened[name] = self.opened.pop(name)  # moves it to the end of the dict
        else:
            task = sampled_task(self.setup, name)
            if len(self.opened) >= OPEN_TASKS:
                del self.opened[next(iter(self.opened))]
            self.opened[name] = task
        return self.opened[name]

    def check_backbone(self, job: Job, copies: bool = True) -> None:
        """Checks that a job did not change the backbone.

        Args:
            copies: Whether to check the float32 weights too, from which tuned weights start. Default: True.

        Raises:
            BackboneChanged: A tensor changed; the error names it.
        """
        if (name := changed_tensor(self.backbone, copies)) is not None:
            raise BackboneChanged(f"backbone {self.backbone.name}: tensor {name} changed during {job.id}")


def sampled_task(setup: Setup, name: str) -> EncodedTask:
    """Returns the rows of a task. If a split has a limit, they are a seeded sample, the same for all learners."""
    task = open_encoded(Path(setup.data[name]))
    limits = Limits(setup.train_examples, setup.test_examples, setup.validation_examples)
    train, validation, test = (
        sample(getattr(task, split), limits.of(split), seed_of(setup.data_seed, name, "sample", split))
        for split in SPLITS
    )
    return replace(task, train=train, validation=validation, test=test)


def applicable(learner: Learner, backbone: Backbone) -> Learner:
    """Returns the learner without the alternatives that the backbone does not allow."""
    return restricted(learner, lambda each: has_layout(each.learner, backbone.architecture))


def _activation_cache() -> ActivationCache:
    from stream.execution.activation_cache import ActivationCache

    return ActivationCache()


def open_workbench(setup: Setup, backbone: Backbone | None = None) -> Workbench:
    """Makes a workbench from a setup. Sets PyTorch to one thread.

    Args:
        backbone: The backbone if it is already loaded; None (default) loads it.

    Raises:
        InputError: The backbone or the arithmetic is not that which the run was prepared with.
    """
    import torch

    torch.set_num_threads(THREADS)
    prepare(setup.device)
    here = numerics(setup.dtype, setup.device, setup.pack)
    if setup.numerics and canonical(here) != canonical(setup.numerics):
        raise InputError(
            "this process computes with another arithmetic than the run was prepared with", where="numerics",
            found=changes(setup.numerics, here),
            fix=f"delete {facts_folder()}, give one worker if your program changes how PyTorch computes, and run again",
        )  # fmt: skip
    backbone = placed(backbone or load_backbone(setup.backbone, setup.dtype), setup.device)
    if backbone.id != setup.backbone_id:
        expected, found = f"content {setup.backbone_id[:16]}", backbone.id[:16]
        what = "the backbone changed since the run was prepared"
        raise InputError(what, where=setup.backbone, expected=expected, found=found)
    return Workbench(
        setup=setup,
        backbone=backbone,
        learners={name: applicable(parse_learner(name, setup.overrides), backbone) for name in setup.learners},
        store=Store(Path(setup.store)),
        opened={},
        numerics=here,
    )
