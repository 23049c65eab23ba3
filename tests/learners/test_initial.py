"""Where a fit starts: the pretrained weights, near-identity modifications, a head of its own, all drawn by name."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from learners.delta.initial import HEAD_STD, added_gates, initial_delta
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner
from tasks.seeds import generator
from tests.loaded import backbone, encoded, moved
from tests.worlds import ARCHITECTURES

TASK = encoded("colours", classes=3).task
LEARNERS = ("full", "topk:1", "layernorm", "adapter:8", "adapterbias:share=alpha", "head")


@pytest.mark.parametrize("model_type", ARCHITECTURES)
@pytest.mark.parametrize("specification", LEARNERS)
def test_names_and_shapes_are_the_declared_ones(model_type: str, specification: str) -> None:
    base, learner = backbone(model_type), parse_learner(specification)
    delta = initial_delta(base, learner, TASK, seed=0)
    declared = delta_shapes(learner, base.architecture, 3)
    assert {name: tuple(t.shape) for name, t in delta.tensors.items()} == declared
    assert all(t.dtype == torch.float32 and t.isfinite().all() for t in delta.tensors.values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_tuned_weights_start_as_pretrained_whatever_the_precision(dtype: str) -> None:
    base = backbone("bert", "cls", dtype)  # type: ignore[arg-type]
    delta = initial_delta(base, parse_learner("full"), TASK, seed=0)
    plain = backbone().weights
    body = {name.removeprefix("backbone."): t for name, t in delta.tensors.items() if name.startswith("backbone.")}
    assert set(body) == set(plain)
    assert all(torch.equal(body[name], plain[name]) for name in plain)


@pytest.mark.parametrize("specification", LEARNERS)
def test_draws_depend_on_seed_and_task_and_on_no_global_state(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = initial_delta(base, learner, TASK, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert initial_delta(base, learner, TASK, seed=0).id == first.id
    assert initial_delta(base, learner, TASK, seed=1).id != first.id
    assert initial_delta(base, learner, replace(TASK, name="shapes"), seed=0).id != first.id


def test_every_tensor_has_a_draw_of_its_own() -> None:
    delta = initial_delta(backbone(), parse_learner("adapter:16"), TASK, seed=0)  # m = d: all matrices of one shape
    drawn = [t for name, t in delta.tensors.items() if name.endswith(("down.weight", "up.weight"))]
    assert len(drawn) == 8
    assert len({t.numpy().tobytes() for t in drawn}) == 8


def test_head() -> None:
    wide = encoded("many", classes=11).task
    delta = initial_delta(backbone(), parse_learner("head"), wide, seed=0)
    assert not delta.tensors["head.bias"].any()
    assert delta.tensors["head.weight"].std() == pytest.approx(HEAD_STD, rel=0.25)


@pytest.mark.parametrize("specification", ["full:sequential", "adapter:8:sequential", "topk:1:sequential"])
def test_a_sequential_learner_goes_on_from_the_body_and_not_the_head(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    previous = moved(base, learner, encoded("earlier", classes=2).task)
    delta = initial_delta(base, learner, TASK, seed=0, previous=previous)
    fresh = initial_delta(base, learner, TASK, seed=0)
    for name, tensor in delta.tensors.items():
        source = fresh if name.startswith("head.") else previous
        assert torch.equal(tensor, source.tensors[name]), name
    assert delta.tensors["head.weight"].shape == (3, 16)


def test_gates_stand_on_the_weights_of_alpha_alone() -> None:
    base = backbone()
    for specification, count in (
        ("adapterbias:l0", 2),
        ("adapterbias:l0:share=alpha:gates=louizos", 1),
        ("adapterbias", 0),
    ):
        learner = parse_learner(specification)
        delta = initial_delta(base, learner, TASK, seed=0)
        gates = added_gates(learner, dict(delta.tensors), generator(0, "gates"))
        assert set(gates) == ({n for n in delta.tensors if n.endswith("alpha.weight")} if count else set())
        assert len(gates) == count
        assert all(a.requires_grad and a.shape == delta.tensors[n].shape for n, a in gates.items())
