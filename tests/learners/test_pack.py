"""Fits in a pack: equal to fits by themselves, and independent of their neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from learners.backbones.backbone import Backbone
from learners.forward.pack_plan import Shape
from learners.specification.family import parse_learner
from learners.training import pack
from learners.training.divergence import Diverged
from learners.training.fit import Step, fit
from learners.training.pack import fit_pack, kind_of
from learners.training.result import Fit, OutOfMemory, Request
from tests.loaded import backbone, encoded, score

LEARNERS = {
    "adapter:4": "bert",
    "adapterbias:l0=1e-2": "roberta",
    "prefix:3:mlp=4": "bert",
    "lora:2": "electra",
    "layernorm": "modernbert",
    "prompt:3": "distilbert",
    "head": "bert",
}
RATES, EPOCHS = (1e-3, 3e-3, 2e-3, 1e-2), (3, 2, 2, 3)


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """Rows have 4 to 11 tokens: with these lengths, steps of a fit are in passes of two shapes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "step_lengths", lambda slots: (8, 16))
        yield


@cache
def request(learner: str, number: int, **settings: float) -> Request:
    """One of the fits that a pack may do: tasks of several sizes, rates and numbers of epochs."""
    overrides = {"epochs": EPOCHS[number], "batch_size": 8, "learning_rate": RATES[number], **settings}
    data = encoded(f"task{number}", classes=2 + number % 3, rows=21 + 8 * number)
    return Request(parse_learner(learner, overrides), data, score, seed=number)


def packed(learner: str, numbers: list[int], slots: int = 3, **settings: float) -> list[Fit]:
    base, requests = backbone(LEARNERS[learner]), [request(learner, number, **settings) for number in numbers]
    found = dict(fit_pack(base, requests, slots))
    assert sorted(found) == list(range(len(numbers)))
    return [each for each in (found[place] for place in range(len(numbers))) if isinstance(each, Fit)]


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_fit_in_a_pack_is_the_fit_by_itself(learner: str) -> None:
    """With dropout too: it drops what it drops by itself, whatever the padding of its pass."""
    base = backbone(LEARNERS[learner])
    for number, found in enumerate(packed(learner, [0, 1, 2, 3])):
        one = request(learner, number)
        expected = fit(base, one.learner, one.data, score, one.seed)
        for name, tensor in expected.delta.tensors.items():
            torch.testing.assert_close(found.delta.tensors[name], tensor, atol=1e-4, rtol=1e-3, msg=name)
        np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-4)
        assert (found.validation, found.best) == (expected.validation, expected.best)
        assert found.examples == expected.examples


@pytest.mark.parametrize("learner", LEARNERS)
@settings(max_examples=2, deadline=None)
@given(before=st.lists(st.integers(0, 3), max_size=3), after=st.lists(st.integers(0, 3), max_size=2))
def test_a_fit_does_not_depend_on_its_company(learner: str, before: list[int], after: list[int]) -> None:
    """Bit for bit: in any place, beside any fits, whether it begins with the pack or takes a free slot later."""
    found = packed(learner, [*before, 1, *after])[len(before)]
    assert found.delta.id == alone(learner).delta.id
    assert found.losses == alone(learner).losses


@cache
def alone(learner: str) -> Fit:
    """A fit beside empty slots."""
    return packed(learner, [1])[0]


@pytest.mark.parametrize("learner", ["adapter:4", "prompt:3"])
def test_fits_that_begin_later_are_the_same(learner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "OPEN", 1)
    assert packed(learner, [0, 2, 3, 0, 1])[-1].delta.id == alone(learner).delta.id


def test_a_pass_has_steps_of_one_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots are filled first where the most steps wait, so few passes have a free one."""
    passes: list[tuple[int, set[int]]] = []
    honest = pack._compute

    def counted(base: Backbone, steps: Sequence[Step], shape: Shape) -> None:
        passes.append((len(steps), {each.batch["input_ids"].shape[1] for each in steps}))
        honest(base, steps, shape)

    monkeypatch.setattr(pack, "_compute", counted)
    packed("adapter:4", [0, 1, 2, 3, 0, 1, 2, 3], slots=2)
    assert {length for _, lengths in passes for length in lengths} == {8, 16}
    assert all(len(lengths) == 1 for _, lengths in passes)
    steps = 2 * sum(epochs * -(-(21 + 8 * number) // 8) for number, epochs in enumerate(EPOCHS))
    assert sum(count for count, _ in passes) == steps
    assert len(passes) < 0.6 * steps


def test_another_shape_is_another_recipe_but_nearly_the_same_fit() -> None:
    three, five = (packed("adapter:4", [1], slots)[0] for slots in (3, 5))
    np.testing.assert_allclose(three.losses, five.losses, rtol=1e-4)


def test_a_fit_that_diverges_leaves_its_neighbours_alone() -> None:
    bad = request("adapter:4", 1)
    bad = replace(bad, learner=parse_learner("adapter:4", {"epochs": 3, "batch_size": 8, "learning_rate": 1e30}))
    good = request("adapter:4", 0)
    found = dict(fit_pack(backbone(), [bad, good, bad, good, good], 3))
    assert [isinstance(found[place], Diverged) for place in range(5)] == [True, False, True, False, False]
    expected = packed("adapter:4", [0])[0].delta.id
    assert {each.delta.id for each in found.values() if isinstance(each, Fit)} == {expected}


def test_a_pass_without_memory_ends_its_fits_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, calls = pack._compute, itertools.count(1)

    def full(base: Backbone, steps: Sequence[Step], shape: Shape) -> None:
        if next(calls) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        honest(base, steps, shape)

    monkeypatch.setattr(pack, "_compute", full)
    found = dict(fit_pack(backbone(), [request("adapter:4", number) for number in (0, 1, 2, 3, 1, 2)], 3))
    failed = [place for place, each in found.items() if isinstance(each, OutOfMemory)]
    assert 1 <= len(failed) <= 3
    assert {found[place] for place in failed} <= {OutOfMemory(24, 8), OutOfMemory(24, 16)}
    monkeypatch.undo()
    for place, number in enumerate((0, 1, 2, 3, 1, 2)):
        each = found[place]
        if isinstance(each, Fit):
            assert each.delta.id == packed("adapter:4", [number])[0].delta.id
    assert len(failed) + sum(isinstance(each, Fit) for each in found.values()) == 6


def test_a_fit_pauses_and_goes_on_in_another_pack() -> None:
    whole = packed("adapter:4", [0])[0]
    one = request("adapter:4", 0)
    first = dict(fit_pack(backbone(), [replace(one, until=1), request("adapter:4", 1)], 3))[0]
    assert isinstance(first, Fit)
    rest = dict(fit_pack(backbone(), [request("adapter:4", 2), replace(one, state=first.state)], 3))[1]
    assert isinstance(rest, Fit)
    assert (rest.delta.id, rest.losses) == (whole.delta.id, whole.losses)


def test_the_account_counts_the_padding_of_the_pack() -> None:
    one = request("adapter:4", 0)
    assert packed("adapter:4", [0])[0].flops > fit(backbone(), one.learner, one.data, score, 0).flops


def test_what_may_be_in_one_pack() -> None:
    kinds = {spec: kind_of(parse_learner(spec)) for spec in ("adapter:4", "adapter:4:learning_rate=1e-2", "adapter:8")}
    assert kinds["adapter:4"] == kinds["adapter:4:learning_rate=1e-2"] != kinds["adapter:8"]
    one, other = request("adapter:4", 0), request("lora:2", 0)
    with pytest.raises(ValueError, match="belongs to another pack"):
        list(fit_pack(backbone(), [one, other], 2))
    with pytest.raises(ValueError, match="cannot be in a pack: it has own matrices"):
        list(fit_pack(backbone(), [Request(parse_learner("full:isolated"), one.data, score, 0)], 2))
