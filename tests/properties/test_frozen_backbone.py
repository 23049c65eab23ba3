"""The frozen backbone: its bytes never change under any sequence of begin, fit, evaluate and switch.

The machine drives the code of a real run (`execute` on a `Workbench`, with a store on disk) over random learners of
every family, tasks and seeds, and compares after every step with copies of its own, taken by other code than the
project's.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from torch import Tensor, nn

from learners.backbones.backbone import Backbone
from learners.delta.delta import HEADS, load_delta
from learners.delta.initial import initial_delta
from learners.delta.layout import delta_shapes
from learners.delta.peft_modules import injected_model
from learners.specification.family import families, parse_learner
from learners.specification.learner import Learner
from learners.training.trainer import trainer_named
from stream.engine.jobs import fit_ids
from stream.execution.job import execute
from stream.execution.result import needed
from stream.execution.workbench import Setup, Workbench
from stream.storage.job import Job, JobId
from stream.storage.store import Store
from tasks.errors import InputError
from tests.loaded import backbone, encoded

TRAINING = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-2}
TASKS = {
    task.task.name: task
    for task in (
        encoded("two", rows=16),
        encoded("three", classes=3, rows=16),
        encoded("pair", rows=16, kind="pair"),
    )
}


JOINED = ("prefix:4+parallel:8:scale=4", "lora:2:sequential+ia3:sequential")


@cache
def learners() -> dict[str, Learner]:
    """Every example of every family that fits two layers, each family in every sharing that it has, and two joined."""
    found = {}
    for name, family in families().items():
        shared = [f"{name}:{way}" for way in ("sequential", "frozen-shared")] if "sharing" in family.positional else []
        for specification in (*family.examples, *shared, *(JOINED if name == "mam" else ())):
            pruned = {"epochs": 2} if name == "diffpruning" else {}  # which wants an epoch after pruning
            learner = parse_learner(specification, TRAINING | pruned)
            try:
                delta_shapes(learner, backbone().architecture, 2)
            except InputError:
                continue  # more layers than there are
            found[specification] = learner
    return found


def resident(base: Backbone) -> dict[str, Tensor]:
    """Every tensor that the forward pass reads, and the float32 weights that tuned weights start from."""
    return {**base.encoder, **{f"weights/{name}": tensor for name, tensor in base.weights.items()}}


def models(base: Backbone) -> list[nn.Module]:
    """The modules of transformers with each method of peft among the learners, which share the backbone's memory."""
    return [injected_model(base, learner.peft) for learner in learners().values() if learner.peft]


def hooks(model: nn.Module) -> list[str]:
    """Names of modules that hold a hook of any kind, among them those that torch knows and we do not use."""
    return [
        name
        for name, module in model.named_modules()
        if any(len(value) for key, value in vars(module).items() if key.endswith(("_hooks", "_hooks_with_kwargs")))
    ]


class FrozenBackbone(RuleBasedStateMachine):
    """Fits and evaluates on one backbone, as runs with several learners and seeds would."""

    def __init__(self) -> None:
        super().__init__()
        self.base = backbone()
        self.folder = Path(tempfile.mkdtemp(prefix="frozen-"))
        self.copies = {name: tensor.clone() for name, tensor in resident(self.base).items()}
        self.states = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tobytes())
        self.files: dict[Path, str] = {}  # every committed Delta -> SHA-256 of its file
        self.answers: dict[tuple[int, str, str], tuple[str, str]] = {}  # of isolated learners, when first given
        self.heads: dict[tuple[int, str, str], dict[str, Tensor]] = {}
        self.runs: dict[tuple[int, str], dict[JobId, Any]] = {}  # (seed, learner) -> fit results by job id

    @initialize(seed=st.integers(0, 3), specification=st.sampled_from(sorted(learners())))
    def begin(self, seed: int, specification: str) -> None:
        self.switch(seed, specification)

    @rule(seed=st.integers(0, 3), specification=st.sampled_from(sorted(learners())))
    def switch(self, seed: int, specification: str) -> None:
        """Go on with another learner and seed: a run of its own on the same backbone and store."""
        setup = Setup(
            backbone=self.base.name, backbone_id=self.base.id, dtype="float32", learners=tuple(learners()),
            overrides=TRAINING, data={}, store=str(self.folder), seed=seed, train_examples=None, test_examples=None,
            data_ids={name: task.id for name, task in TASKS.items()},
        )  # fmt: skip
        self.bench = Workbench(setup, self.base, learners(), Store(self.folder), dict(TASKS))
        self.seed, self.name, self.learner = seed, specification, learners()[specification]
        self.fitted = self.runs.setdefault((seed, specification), {})

    @property
    def order(self) -> list[str]:
        return [fit.task for fit in self.fitted.values()]

    @precondition(lambda self: len(self.fitted) < len(TASKS))
    @rule(data=st.data())
    def fit(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from([name for name in TASKS if name not in self.order]))
        arrival = len(self.fitted) + 1
        before = fit_ids(self.name, arrival)[:-1]
        whole = trainer_named(self.learner.trainer).keeps_state  # which is made again from all that it learned
        chain = (before if whole else before[-1:]) if self.learner.needs_previous_fit else ()
        job = Job("fit", self.name, arrival, (task,), chain)
        result = needed(execute(self.bench, job, {need: self.fitted[need] for need in job.needs}, lambda event: None))
        previous = self.bench.store.get_delta(self.fitted[chain[-1]]) if chain else None
        self.fitted[job.id] = result
        path = self.bench.store.delta_path(result.delta)
        self.files[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        delta = load_delta(path)
        self.heads[self.seed, self.name, task] = {n: t for n, t in delta.tensors.items() if n.startswith("head.")}
        declared = delta_shapes(self.learner, self.base.architecture, TASKS[task].task.outputs)
        own = {name: tuple(tensor.shape) for name, tensor in delta.tensors.items() if not name.startswith(HEADS)}
        assert own == declared
        if self.learner.trains:
            first = initial_delta(self.base, self.learner, TASKS[task].task, self.seed, previous)
            assert any(not torch.equal(delta.tensors[name], tensor) for name, tensor in first.tensors.items())

    @precondition(lambda self: self.fitted)
    @rule(ahead=st.booleans())
    def evaluate(self, ahead: bool) -> None:
        """A row of R: every past task with its own Delta, and with `ahead` the tasks to come as well."""
        arrival, past = len(self.fitted), self.order
        tasks = (*past, *(name for name in TASKS if name not in past)) if ahead else tuple(past)
        job = Job("evaluate", self.name, arrival, tasks, fit_ids(self.name, arrival))
        cells = execute(self.bench, job, self.fitted, lambda event: None).cells
        assert [cell.task for cell in cells] == list(tasks)
        for cell in cells[: len(past)]:
            if self.learner.keeps_task_weights:
                key, given = (self.seed, self.name, cell.task), (cell.logits, cell.predictions)
                assert self.answers.setdefault(key, given) == given

    @rule()
    def before(self) -> None:
        job = Job("before", self.name, 0, tuple(TASKS))
        assert len(execute(self.bench, job, {}, lambda event: None).cells) == len(TASKS)

    @invariant()
    def the_backbone_is_what_it_was(self) -> None:
        now = resident(self.base)
        assert now.keys() == self.copies.keys()
        for name, tensor in now.items():
            assert tensor.dtype == self.copies[name].dtype
            assert torch.equal(tensor, self.copies[name]), name
            assert not tensor.requires_grad, name
            assert tensor.grad is None, name

    @invariant()
    def nothing_is_left_on_modules(self) -> None:
        for model in models(self.base):
            assert hooks(model) == []
            assert not any(module.training for module in model.modules())

    @invariant()
    def no_random_state_moved(self) -> None:
        assert torch.equal(torch.get_rng_state(), self.states[0])
        assert random.getstate() == self.states[1]
        assert np.random.get_state()[1].tobytes() == self.states[2]

    @invariant()
    def no_byte_of_a_committed_delta_changed(self) -> None:
        assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.files} == self.files

    @invariant()
    def the_head_of_a_past_task_is_what_it_was(self) -> None:
        """Also of a sequential learner, whose body goes on."""
        for (seed, name, task), head in self.heads.items():
            fit = next(fit for fit in self.runs[seed, name].values() if fit.task == task)
            delta = load_delta(Store(self.folder).delta_path(fit.delta), fit.delta)
            assert all(torch.equal(delta.tensors[part], tensor) for part, tensor in head.items())

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


def test_the_backbone_is_frozen_under_any_sequence() -> None:
    import sklearn.metrics  # noqa: F401 - importing it draws from Python's generator, once a process

    torch.set_num_threads(1)
    steps = settings(
        max_examples=4, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(FrozenBackbone, settings=steps)


def test_every_family_takes_part() -> None:
    assert {name.split(":")[0] for name in learners()} == set(families())
    sharing = {learner.sharing for learner in learners().values()}
    assert sharing == {"isolated", "sequential", "frozen-shared"}
    assert set(JOINED) <= set(learners())


@pytest.mark.parametrize("damage", ["weight", "gradient", "hook", "mode", "random"])
def test_the_machine_notices(damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each invariant fails when what it guards is harmed; the backbone is put right again afterwards."""
    machine = FrozenBackbone()
    if damage in ("hook", "mode") and find_spec("peft") is None:
        pytest.skip("needs the extra peft")
    model = next(iter(models(machine.base)), nn.Module())
    weight = next(iter(machine.base.fused.values()))
    kept, state = weight.clone(), torch.get_rng_state()
    handle = None
    try:
        if damage == "weight":
            weight.view(-1)[3] += 1e-3
            check = machine.the_backbone_is_what_it_was
        elif damage == "gradient":
            weight.requires_grad_(True)
            check = machine.the_backbone_is_what_it_was
        elif damage == "hook":
            handle = model.register_forward_hook(lambda *arguments: None)
            check = machine.nothing_is_left_on_modules
        elif damage == "mode":
            model.train()
            check = machine.nothing_is_left_on_modules
        else:
            torch.rand(1)
            check = machine.no_random_state_moved
        with pytest.raises(AssertionError):
            check()
    finally:
        weight.requires_grad_(False).copy_(kept)
        model.eval()
        if handle is not None:
            handle.remove()
        torch.set_rng_state(state)
        machine.teardown()
    machine.the_backbone_is_what_it_was()
    machine.nothing_is_left_on_modules()
    machine.no_random_state_moved()
