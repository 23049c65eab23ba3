"""Execution of one job: the same code in the command's own process and in its workers."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from learners.backbones.backbone import Backbone, Dtype, changed_tensor, load_backbone
from learners.delta.delta import Delta, is_head
from learners.delta.initial import initial_delta
from learners.forward.batches import BATCH_OVERHEAD, EVALUATION_TOKENS
from learners.forward.layer_range import layers_below
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.specification.tuned import Tuned
from learners.training.fit import TRAINING_FORMAT
from learners.training.predict import EVALUATION_FORMAT
from stream.avalanche.held import Nondeterminism
from stream.execution.activation_cache import ActivationCache, ActivationsChanged
from stream.execution.evaluate_job import Score, evaluate
from stream.execution.fit_job import fitted
from stream.execution.workers import arithmetic
from stream.storage.job import Job, JobId
from stream.storage.store import Store
from tasks.encoded import EncodedTask, open_encoded, sample
from tasks.errors import InputError
from tasks.seeds import seed_of

if TYPE_CHECKING:
    from stream.avalanche.trainer import Trainer

Report = Callable[[dict[str, Any]], None]
OPEN_TASKS = 32  # a task is 15 files, a process may often have 1,024 open; enough for the 26 tasks of the paper
THREADS = 1  # a process for each core beats threads on encoders of this size, and the sums stay in one order


_version = cache(version)  # milliseconds each, asked for with every job


class BackboneChanged(Exception):
    """A frozen tensor is not what it was: a defect, and the end of the run."""


# What a job may end with; anything else is a defect. A fit that diverges is a result: the stream goes on.
FAILURES = (BackboneChanged, ActivationsChanged, Nondeterminism, InputError, OSError, MemoryError)


@dataclass(frozen=True)
class Setup:
    """What a process needs to execute jobs: plain JSON values, handed to workers as they are."""

    backbone: str
    backbone_id: str
    dtype: Dtype
    learners: tuple[str, ...]  # specifications as written
    overrides: Mapping[str, Any]
    data: Mapping[str, str]  # task -> folder of its encoded arrays
    store: str
    seed: int
    train_examples: int | None
    test_examples: int | None
    keep: bool = False  # whether evaluations may share what frozen layers compute; not where they are to audit it
    ids: Mapping[str, str] = field(default_factory=dict)  # task -> content id of its data; where there are fits

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(eq=False)
class Workbench:
    """A backbone, the learners and the data, ready for jobs; of the data the tasks asked for last are held open;
    strategies are as the last fit left them."""

    setup: Setup
    backbone: Backbone
    learners: Mapping[str, Learner]
    store: Store
    opened: dict[str, EncodedTask]
    kept: ActivationCache = field(default_factory=ActivationCache)
    trainers: dict[str, Trainer] = field(default_factory=dict)

    def data(self, name: str) -> EncodedTask:
        """A task's rows, capped by seeded samples that all learners share."""
        if name in self.opened:
            self.opened[name] = self.opened.pop(name)  # the last asked for
        else:
            setup, task = self.setup, open_encoded(Path(self.setup.data[name]))
            limits = {"train": setup.train_examples, "validation": setup.test_examples, "test": setup.test_examples}
            train, validation, test = (
                sample(getattr(task, split), limit, seed_of(setup.seed, name, "sample", split))
                for split, limit in limits.items()
            )
            if len(self.opened) >= OPEN_TASKS:
                del self.opened[next(iter(self.opened))]
            self.opened[name] = replace(task, train=train, validation=validation, test=test)
        return self.opened[name]

    @property
    def numerics(self) -> dict[str, Any]:
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


def numerics(dtype: str) -> dict[str, Any]:
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
        "settings": arithmetic(),
        **{name: _version(name) for name in ("torch", "transformers", "numpy")},
    }


def execute(bench: Workbench, job: Job, results: Mapping[JobId, Any], report: Report) -> dict[str, Any]:
    """Do one job.

    Args:
        results: Results of the jobs it needs, by id.

    Returns:
        A JSON-ready result: a fit record, `{"cells": [...]}`, or of a fit that diverged what
        `stream.results.failures.failed_fit` says.

    Raises:
        BackboneChanged: A tensor of the backbone is not what it was; names it.
        InputError: A stored Delta was changed; names file and tensor.
    """
    learner = bench.learners[job.learner]
    if job.kind == "fit":
        return fitted(bench, job, learner, results, report)
    if job.kind == "before":
        result = {"cells": [_before(bench, learner, task).as_dict() for task in job.tasks]}
    else:
        result = _row(bench, job, learner, results)
    learned = {found["task"] for found in results.values() if "task" in found}
    bench.check_backbone(job, copies=learner.difference or not learned.issuperset(job.tasks))  # where Deltas begin
    return result


def _row(bench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Any]) -> dict[str, Any]:
    """Scores after an arrival: each past task with its own Delta, or with the body as it now is and the task's head.

    A task whose fit failed has none.
    """
    records = {results[need]["task"]: results[need] for need in job.needs if need.kind == "fit"}
    learned = {task: record for task, record in records.items() if "failed" not in record}
    last = [*learned.values()][-1] if learned and learner.needs_previous_fit else None
    latest = bench.store.get_delta(last) if last else None
    cells = []
    for task in job.tasks:
        if task in records and task not in learned:
            continue
        if task in learned:
            record = learned[task]
            if latest is not None and not learner.keeps_task_weights:
                delta = latest.with_head(bench.store.get_head(record), task)
            else:
                delta = bench.store.get_delta(record)
        else:  # a task still to come: its first head, unless it is foreseen, on the body as it now is
            delta = initial_delta(bench.backbone, learner, bench.data(task).task, bench.setup.seed, latest)
            delta = latest.with_head(delta, task) if latest is not None and not learner.keeps_task_weights else delta
        cells.append(_score(bench, learner, delta, task).as_dict())
    return {"cells": cells}


def _before(bench: Workbench, learner: Learner, task: str) -> Score:
    """What a first Delta answers. Of a learner that adds nothing its weights are the backbone's own, so what the head
    reads is the same for all such learners."""
    data, started = bench.data(task), time.perf_counter()
    delta = initial_delta(bench.backbone, learner, data.task, bench.setup.seed)
    untrained = replace(learner, tuned=Tuned())
    if layers_below(untrained, bench.backbone.architecture) == 0:
        return _score(bench, learner, delta, task)
    below = bench.kept.below(bench.backbone, untrained, task, data.test)
    head = Delta({name: tensor for name, tensor in delta.tensors.items() if is_head(name)})
    found = evaluate(bench.backbone, untrained, head, data.task, data.test, below)
    return replace(found, delta=delta.id, seconds=time.perf_counter() - started)


def _score(bench: Workbench, learner: Learner, delta: Delta, task: str) -> Score:
    data, started = bench.data(task), time.perf_counter()
    kept = bench.setup.keep  # then the first who asks pays for all
    below = bench.kept.below(bench.backbone, learner, task, data.test) if kept else None
    found = evaluate(bench.backbone, learner, delta, data.task, data.test, below)
    return replace(found, seconds=time.perf_counter() - started)
