"""The MLP that makes a prefix: trained in place of the tables, and gone afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import learners.training.fit
from learners.delta.initial import initial_delta, initial_trainable
from learners.delta.layout import delta_shapes
from learners.delta.reparametrise import materialize, mlp_shapes
from learners.specification.family import parse_learner
from learners.training.fit import fit
from learners.training.result import Fit
from tests.loaded import backbone, encoded, moved, score

DATA, LATER = encoded("colours"), encoded("pairs", kind="pair")
SPECIFICATIONS = ("prefix:4:mlp=6", "mam:prefix=4:parallel=8:mlp=6", "parallel:8+prefix:4:mlp=6")
each = pytest.mark.parametrize("specification", SPECIFICATIONS)


def by_hand(trainable: Mapping[str, Tensor], layer: int) -> tuple[np.ndarray, np.ndarray]:
    """P_k and P_v of a layer: tanh(E W + b) W_l + b_l, cut in two."""
    w = {name.removeprefix("mlp.prefix."): t.detach().double().numpy() for name, t in trainable.items()}
    hidden = np.tanh(w["table"] @ w["hidden.weight"].T + w["hidden.bias"])
    both = hidden @ w[f"{layer}.weight"].T + w[f"{layer}.bias"]
    return both[:, :16], both[:, 16:]


def watched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """What fits train: the leaves of every forward pass, as they then are."""
    seen: list[dict[str, Tensor]] = []

    def watching(learner: Any, trainable: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
        seen.append({name: leaf.detach().clone() for name, leaf in trainable.items()})
        return materialize(learner, trainable, layers)

    monkeypatch.setattr(learners.training.fit, "materialize", watching)
    return seen


def run(specification: str, data: Any = DATA, **more: Any) -> Fit:
    return fit(backbone(), parse_learner(specification, {"epochs": 1, "batch_size": 16}), data, score, 0, **more)


@each
def test_tables_are_what_the_mlp_makes(specification: str) -> None:
    base, learner = backbone(), parse_learner(specification)
    trainable = initial_trainable(base, learner, DATA.task, 0)
    tensors = materialize(learner, trainable, 2)
    assert set(tensors) == set(delta_shapes(learner, base.architecture, 2))
    for layer in range(2):
        for name, expected in zip(("keys", "values"), by_hand(trainable, layer), strict=True):
            np.testing.assert_allclose(tensors[f"added.prefix.{layer}.{name}"].numpy(), expected, atol=1e-6)
    others = {name for name in tensors if not name.startswith("added.prefix.")}
    assert all(tensors[name] is trainable[name] for name in others)
    assert {n: t.numpy().tobytes() for n, t in initial_delta(base, learner, DATA.task, 0).tensors.items()} == {
        n: t.contiguous().numpy().tobytes() for n, t in tensors.items()
    }


def test_sizes() -> None:
    """E [l, d], a hidden layer of m, and for each layer an output of 2d: in He et al.'s code 15.4 M on RoBERTa-base."""
    shapes = mlp_shapes(parse_learner("prefix:4:mlp=6"), backbone().architecture)
    assert shapes == {
        "mlp.prefix.table": (4, 16),
        "mlp.prefix.hidden.weight": (6, 16),
        "mlp.prefix.hidden.bias": (6,),
        **{f"mlp.prefix.{layer}.weight": (32, 6) for layer in range(2)},
        **{f"mlp.prefix.{layer}.bias": (32,) for layer in range(2)},
    }
    assert mlp_shapes(parse_learner("prefix:4:mlp=0"), backbone().architecture) == {}
    assert mlp_shapes(parse_learner("parallel:4"), backbone().architecture) == {}


@each
def test_a_delta_holds_the_tables_alone_as_the_mlp_made_them_last(
    specification: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watched(monkeypatch)
    delta = run(specification).delta
    assert not any("mlp" in name for name in delta.tensors)
    first, last = seen[0], seen[-1]
    made_by = {name for name in last if name.startswith("mlp.")}
    assert len(made_by) == 7
    assert not any(name.startswith("added.prefix.") for name in last), "the tables themselves are not trained"
    assert all(not torch.equal(first[name], last[name]) for name in made_by), "all of the MLP learns"
    for layer in range(2):
        for name, expected in zip(("keys", "values"), by_hand(last, layer), strict=True):
            np.testing.assert_allclose(delta.tensors[f"added.prefix.{layer}.{name}"].numpy(), expected, atol=1e-6)
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in delta.tensors.values())


def test_without_an_mlp_the_tables_are_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    delta = run("prefix:4:mlp=0").delta
    assert not any(name.startswith("mlp.") for name in seen[-1])
    assert all(torch.equal(seen[-1][name], t) for name, t in delta.tensors.items())
    assert not torch.equal(seen[0]["added.prefix.0.keys"], seen[-1]["added.prefix.0.keys"])


@pytest.mark.parametrize("specification", ["prefix:4:mlp=6:sequential", "mam:sequential:prefix=4:mlp=6"])
def test_a_sequential_prefix_goes_on_from_its_tables(specification: str, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = parse_learner(specification)
    previous = moved(backbone(), learner, DATA.task)
    seen = watched(monkeypatch)
    after = run(specification, LATER, previous=previous).delta
    assert not any(name.startswith("mlp.") for name in seen[0])
    body = {name for name in previous.tensors if not name.startswith("head.")}
    assert all(torch.equal(seen[0][name], previous.tensors[name]) for name in body)
    assert all(not torch.equal(after.tensors[name], previous.tensors[name]) for name in body)
    assert set(after.tensors) == set(previous.tensors)
