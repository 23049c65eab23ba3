"""Devices: names, placement of every tensor, and what a user reads if a device is missing or has no memory left.

Placement is tested without a device: under `FakeTensorMode`, tensors on `meta` carry a whole training step, and an
operation of one of them with a tensor of the CPU raises. Tests marked `device` run where there is a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import _disable_current_modes

import learners.training.fit
import learners.training.running
from learners.backbones.backbone import Backbone, changed_tensor, placed
from learners.delta.prune import prune
from learners.device import device_named, no_memory, to_device, to_host
from learners.forward import deberta_v2, modernbert
from learners.forward.forward import logits
from learners.methods import vera
from learners.specification.family import parse_learner
from learners.training.fit import compute, open_slot
from learners.training.pack import fit_pack
from learners.training.result import Request
from tasks.errors import InputError
from tests.loaded import backbone, batch_of, encoded, moved, score

LEARNERS = {
    "adapter:4": "bert",
    "adapterbias:l0=1e-2": "roberta",
    "bitfit": "electra",
    "compacter:4:terms=2": "distilbert",
    "diffpruning": "bert",
    "full:isolated": "deberta-v2",
    "head": "modernbert",
    "ia3": "bert",
    "layernorm": "roberta",
    "lora:2": "electra",
    "mhpa:2": "distilbert",
    "prefix:3:mlp=4": "bert",
    "prompt:3": "bert",
    "topk:1": "bert",
    "vera:4": "modernbert",
}
SETTINGS = {"epochs": 2, "batch_size": 8, "dropout": False, "head_dropout": 0.0}  # no generator draws on `meta`


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTensorMode]:
    """Tensors without numbers, within a `with` block. The loss of a step is read as 0.5, because there is none."""
    honest, draw = Tensor.item, learners.training.running.initial_trainable

    def item(tensor: Tensor) -> Any:
        return 0.5 if isinstance(tensor, FakeTensor) else honest(tensor)

    def drawn(base: Backbone, *rest: Any) -> dict[str, Tensor]:
        with _disable_current_modes():
            return draw(backbone(base.architecture.model_type), *rest)

    monkeypatch.setattr(Tensor, "item", item)
    monkeypatch.setattr(learners.training.running, "initial_trainable", drawn)
    monkeypatch.setattr(learners.training.running, "generator_there", lambda generator, device: generator)
    caches = modernbert.rotations, deberta_v2.position_rows, vera.projections
    yield FakeTensorMode(allow_non_fake_inputs=True)
    for cached in caches:
        cached.cache_clear()


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_tensor_of_a_training_step_is_on_the_device(learner: str, fake: FakeTensorMode) -> None:
    base, data = backbone(LEARNERS[learner]), encoded("x", classes=3)
    with fake:
        slot = open_slot(placed(base, "meta"), Request(parse_learner(learner, SETTINGS), data, score, 0))
        for step, _ in zip(slot.steps, range(2), strict=False):
            compute(step)
    leaves = [leaf for leaf in slot.running.trainable.values() if leaf.requires_grad]
    assert leaves
    assert {tensor.device.type for tensor in (*step.batch.values(), *step.tensors.values(), *leaves)} == {"meta"}
    assert {each.device.type for moments in slot.running.optimiser.moments.values() for each in moments} == {"meta"}


def test_pruning_is_on_the_device(fake: FakeTensorMode) -> None:
    base, data, learner = backbone(), encoded("x", classes=3), parse_learner("diffpruning", SETTINGS)
    assert learner.pruning is not None
    with fake:
        running = open_slot(placed(base, "meta"), Request(learner, data, score, 0)).running
        masks = prune(learner, learner.pruning, running.trainable, running.gates)
    assert {mask.device.type for mask in masks.values()} == {"meta"}


def test_a_tensor_that_stays_on_the_host_is_found(fake: FakeTensorMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    monkeypatch.setattr(vera, "projections", lambda *size: (torch.ones(4, 16), torch.ones(16, 4)))
    base, data = backbone(), encoded("x")
    with fake:
        slot = open_slot(placed(base, "meta"), Request(parse_learner("vera:4", SETTINGS), data, score, 0))
        with pytest.raises(RuntimeError, match="device"):
            compute(next(slot.steps))


def test_a_backbone_moves_with_its_fused_weights_and_stays_if_it_is_there() -> None:
    base = backbone()
    assert placed(base, "cpu") is base
    there = placed(base, "meta")
    assert str(there.device) == "meta"
    assert there.weights is there.computed, "in float32 they are the same tensors"
    assert {name: tensor.shape for name, tensor in there.encoder.items()} == {
        name: tensor.shape for name, tensor in base.encoder.items()
    }
    half = placed(backbone(dtype="bfloat16"), "meta")
    assert (half.weights["embeddings.LayerNorm.weight"].dtype, half.dtype) == (torch.float32, torch.bfloat16)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:0", "mps:1", ""])
def test_an_unknown_device(name: str) -> None:
    with pytest.raises(InputError, match="unknown device; expected auto, cpu, cuda, cuda:N or mps"):
        device_named(name)


def test_a_device_that_this_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [device_named(name) for name in ("cuda", "cuda:1", "cpu")] == ["cuda:0", "cuda:1", "cpu"]
    with pytest.raises(InputError, match=r"no such device; expected cuda:0 or cuda:1 or .*cpu; found cuda:2"):
        device_named("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto") == "cpu"
    with pytest.raises(InputError, match="install a PyTorch with CUDA"):
        device_named("cuda")


def test_numbers_go_there_and_back() -> None:
    tensor = torch.arange(6.0).reshape(2, 3).requires_grad_()
    assert to_host(tensor).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert torch.equal(to_device(to_host(tensor)), tensor.detach())
    assert "batches of 8 rows of up to 128 tokens" in no_memory("cuda:0", 8, 128)


@pytest.mark.device
@pytest.mark.parametrize("learner", LEARNERS)
def test_on_a_card_a_fit_repeats_bit_for_bit_and_is_near_that_of_the_host(learner: str) -> None:
    base, parsed = backbone(LEARNERS[learner]), parse_learner(learner, SETTINGS)
    there, data = placed(base, device_named("cuda")), encoded("x", classes=3)
    first, again = (learners.training.fit.fit(there, parsed, data, score, 0) for _ in range(2))
    assert first.delta.id == again.delta.id
    assert {tensor.device.type for tensor in first.delta.tensors.values()} == {"cpu"}
    host = learners.training.fit.fit(base, parsed, data, score, 0)
    assert first.losses == pytest.approx(host.losses, rel=1e-2)
    assert changed_tensor(there) is None


@pytest.mark.device
@pytest.mark.parametrize("learner", ["adapter:4", "adapterbias", "layernorm", "lora:2", "prefix:3"])
def test_on_a_card_a_slot_does_not_depend_on_its_neighbours(learner: str) -> None:
    there = placed(backbone(), device_named("cuda"))
    requests = [
        Request(parse_learner(learner, {"epochs": 2, "batch_size": 8}), encoded(f"x{n}", rows=24 + n), score, n)
        for n in range(4)
    ]
    together, alone = dict(fit_pack(there, requests, 3)), dict(fit_pack(there, requests[2:3], 3))
    assert together[2].delta.id == alone[0].delta.id


@pytest.mark.device
def test_on_a_card_the_logits_are_near_those_of_the_host() -> None:
    base, parsed, data = backbone(), parse_learner("adapter:4"), encoded("x")
    tensors = moved(base, parsed, data.task).tensors
    there = placed(base, device_named("cuda"))
    found, expected = (logits(each, parsed, tensors, batch_of(each, data)) for each in (there, base))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-4, rtol=1e-4)
