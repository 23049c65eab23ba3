"""Sharing frozen-shared: what tasks have in common is trained on the first of them alone, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

import learners.training.fit
from learners.delta.initial import initial_delta
from learners.delta.layout import common, delta_shapes
from learners.delta.reparametrise import materialize
from learners.forward.batches import evaluation_plan
from learners.specification.family import families, parse_learner
from learners.training.fit import fit
from learners.training.predict import predict
from tests.loaded import backbone, encoded, moved, score

# A third task is in tests/stream/test_frozen_shared.py.
STREAM = [encoded("colours", classes=3, rows=32), encoded("pairs", rows=32, kind="pair")]
TRAINING = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-2}


def everything(name: str) -> bool:
    return True


# What tasks have in common, by name: what reads, of methods that read and write; all of those without such parts.
COMMON: Mapping[str, Callable[[str], bool]] = {
    "adapter:8": lambda n: ".down." in n,
    "adapterbias": lambda n: ".alpha." in n,
    "adapterbias:l0": lambda n: ".alpha." in n,
    "adapterbias:share=both:embedding_norm=yes": lambda n: ".alpha." in n,
    "bitfit": everything,
    "compacter:8:norms=yes": lambda n: n.endswith(".rule"),
    "full": everything,
    "ia3": lambda n: n.endswith(".factor"),
    "layernorm": everything,
    "lora:2": lambda n: n.endswith(".A"),
    "lora:2:trained_scale=yes": lambda n: n.endswith(".A"),
    "prefix:4:gate=no:mlp=6": lambda n: n.endswith(".keys"),
    "lora-ffn:2": lambda n: n.endswith(".A"),
    "mam:prefix=4:parallel=8:mlp=6": lambda n: n.endswith(".keys") or ".down." in n,
    "mhpa:4": lambda n: n.endswith(".keys"),
    "parallel:8": lambda n: ".down." in n,
    "peft": everything,
    "pfeiffer:8": lambda n: ".down." in n,
    "prefix:4:mlp=6": lambda n: n.endswith(".keys"),
    "prompt:4": everything,
    "topk:1": everything,
    "vera:16": lambda n: n.endswith(".d"),
}


@pytest.mark.parametrize("specification", COMMON)
def test_what_is_common_stays_as_the_first_task_left_it(specification: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trainable: dict[str, Tensor] = {}

    def watching(learner: Any, given: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
        trainable.clear()
        trainable.update(given)
        return materialize(learner, given, layers)

    monkeypatch.setattr(learners.training.fit, "materialize", watching)
    base, learner = backbone(), parse_learner(f"{specification}:frozen-shared", TRAINING)
    first = fit(base, learner, STREAM[0], score, 0).delta
    assert all(leaf.grad is not None for leaf in trainable.values()), "the first task trains all of it"
    body = {name for name in first.tensors if not name.startswith("head.")}
    shared = {name for name in body if COMMON[specification](name)}
    assert shared == {name for name in first.tensors if common(learner, name)}
    assert shared
    delta = fit(base, learner, STREAM[1], score, 0, previous=first).delta
    for name in body:
        same = delta.tensors[name].numpy().tobytes() == first.tensors[name].numpy().tobytes()
        assert same == (name in shared), name
        assert (trainable[name].grad is None) == (name in shared), name
        assert trainable[name].requires_grad == (name not in shared), name
        assert (name in delta.pruned) == (name in first.pruned), name
    assert delta.tensors["head.weight"].shape == (2, 16)
    again = [predict(base, learner, first, STREAM[0].test, evaluation_plan(STREAM[0].test)) for _ in range(2)]
    assert again[0].tobytes() == again[1].tobytes()


# Of joined methods what is common of each.
JOINED: Mapping[str, Callable[[str], bool]] = {
    "lora:2:frozen-shared+prompt:4:frozen-shared": lambda n: n.endswith(".A") or ".prompt." in n,
    "adapterbias:frozen-shared+adapter:8:frozen-shared": lambda n: ".alpha." in n or ".down." in n,
    "bitfit:frozen-shared+layernorm:frozen-shared": everything,
    "prompt:4:frozen-shared+bitfit:frozen-shared": everything,
}


@pytest.mark.parametrize("specification", JOINED)
def test_of_a_join_what_is_common_of_each_part_is(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification, TRAINING)
    first = fit(base, learner, STREAM[0], score, 0).delta
    second = fit(base, learner, STREAM[1], score, 0, previous=first).delta
    for name in first.tensors:
        if not name.startswith("head."):
            same = torch.equal(first.tensors[name], second.tensors[name])
            assert same == common(learner, name) == JOINED[specification](name), name
    for part in specification.split("+"):
        alone = parse_learner(part)
        own = delta_shapes(alone, base.architecture, 2)
        assert {n: common(alone, n) for n in own} == {n: common(learner, n) for n in own}


def test_every_family_that_can_share_is_here() -> None:
    assert {s.split(":")[0] for s in COMMON} == {n for n, f in families().items() if "sharing" in f.positional}


def test_what_is_not_common_starts_anew() -> None:
    """The second task's own part does not depend on the first task's."""
    base, learner = backbone(), parse_learner("adapter:8:frozen-shared:epochs=0")
    previous = moved(base, learner, STREAM[0].task)
    start = fit(base, learner, STREAM[1], score, 0, previous=previous).delta
    fresh = initial_delta(base, learner, STREAM[1].task, 0)
    for name, tensor in start.tensors.items():
        source = previous if ".down." in name else fresh
        assert torch.equal(tensor, source.tensors[name]), name


@pytest.mark.parametrize("name", sorted({s.split(":")[0] for s in COMMON}))
def test_nothing_is_common_to_other_sharings(name: str) -> None:
    for sharing in ("isolated", "sequential"):
        learner = parse_learner(f"{name}:{sharing}")
        assert not any(
            common(learner, tensor) for tensor in ("added.adapter.ffn.0.down.weight", "backbone.x", "head.bias")
        )
