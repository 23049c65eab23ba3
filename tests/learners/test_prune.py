"""Diff pruning: of a difference to all weights the largest scalars stay, as many as were asked for at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import learners.training.fit
from learners.backbones.architecture import parameters
from learners.backbones.published import known_architecture
from learners.delta.delta import Delta, load_delta, save_delta
from learners.delta.prune import hold, prune
from learners.forward.batches import evaluation_plan
from learners.specification.family import parse_learner
from learners.specification.learner import Pruning
from learners.training.fit import fit
from learners.training.predict import predict
from learners.training.result import Fit
from stream.results.growth import task_cost
from tests.loaded import backbone, encoded, score

DATA = encoded("colours")
LEARNER = parse_learner("diffpruning")
OPEN, CLOSED = 5.0, -5.0  # gate parameters: of the setting's σ(a) 3 − 1.5, cut to [0, 1], 1 and 0


# ---- what stays


def test_the_largest_of_all_tensors_stay_and_ties_go_by_place() -> None:
    trainable = {"a": torch.tensor([[3.0, -1.0], [0.5, 1.0]]), "b": torch.tensor([-4.0, 1.0]), "head": torch.ones(2)}
    gates = {name: torch.full_like(trainable[name], OPEN) for name in "ab"}
    masks = prune(LEARNER, Pruning(target=0.5, after=0.5), trainable, gates)
    assert masks["a"].tolist() == [[True, True], [False, False]]
    assert masks["b"].tolist() == [True, False]
    assert trainable["a"].tolist() == [[3.0, -1.0], [0.0, 0.0]]
    assert trainable["b"].tolist() == [-4.0, 0.0]
    assert trainable["head"].tolist() == [1.0, 1.0], "what has no gate is left alone"


def test_what_a_gate_closed_does_not_stay() -> None:
    trainable = {"a": torch.tensor([9.0, 2.0, 1.0, 0.5])}
    masks = prune(LEARNER, Pruning(0.75, 0.5), trainable, {"a": torch.tensor([CLOSED, OPEN, CLOSED, OPEN])})
    assert masks["a"].tolist() == [False, True, False, True]
    assert trainable["a"].tolist() == [0.0, 2.0, 0.0, 0.5]


@given(st.integers(1, 300), st.floats(1e-6, 1), st.integers(0, 99))
def test_any_target(size: int, target: float, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(size, generator=draw)
    trainable = {"a": values[: size // 2].clone(), "b": values[size // 2 :].clone()}
    gates = {name: torch.full_like(leaf, OPEN) for name, leaf in trainable.items()}
    masks = prune(LEARNER, Pruning(target, 0.5), trainable, gates)
    stays = torch.cat([masks["a"], masks["b"]])
    assert int(stays.sum()) == round(target * size)
    assert torch.equal(torch.cat([trainable["a"], trainable["b"]]), values * stays)
    if 0 < stays.sum() < size:
        assert values[stays].abs().min() >= values[~stays].abs().max()


def test_what_has_moved_again_is_held_at_zero() -> None:
    leaf = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    hold({"a": torch.tensor([True, False, True])}, {"a": leaf})
    assert leaf.tolist() == [1.0, 0.0, 3.0]
    assert leaf.requires_grad


# ---- fits


def rising() -> Callable[[np.ndarray, np.ndarray], float]:
    """A metric that is better after every epoch, so that the last is kept."""
    answers: Iterator[float] = iter(range(1, 1000))
    return lambda target, output: float(next(answers))


def run(specification: str, metric: Callable[[np.ndarray, np.ndarray], float] = score) -> Fit:
    return fit(backbone(), parse_learner(f"{specification}:batch_size=8:learning_rate=1e-2"), DATA, metric, 0)


def differences(delta: Delta) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in delta.tensors.items() if name.startswith("difference.")}


WHOLE = parameters(backbone().architecture)


@pytest.mark.parametrize(("target", "epochs"), [(0.001, 2), (0.05, 3), (0.5, 5)])
def test_no_more_than_the_target_is_kept(target: float, epochs: int, tmp_path: Path) -> None:
    delta = run(f"diffpruning:{target}:epochs={epochs}").delta
    kept = sum(int(tensor.count_nonzero()) for tensor in differences(delta).values())
    assert 0 < kept <= round(target * WHOLE)
    assert sum(tensor.numel() for tensor in differences(delta).values()) == WHOLE
    assert delta.pruned == set(differences(delta))
    assert delta.counts.backbone == delta.counts.without_head == kept
    size = save_delta(delta, tmp_path / "delta")
    again = load_delta(tmp_path / "delta", expected=delta.id, digests=delta.digests)
    assert (again.id, again.pruned) == (delta.id, delta.pruned)
    for name, tensor in delta.tensors.items():
        assert again.tensors[name].numpy().tobytes() == tensor.numpy().tobytes()
    if target < 0.1:
        header = 250 * len(delta.tensors)
        assert size < 8 * kept + 4 * delta.counts.head + 2 * header + 4096, "an index and a value for each that is kept"


def test_the_account_from_the_config_is_what_is_kept() -> None:
    """With a penalty of zero no gate closes."""
    learner, delta = parse_learner("diffpruning:0.05:l0=0"), run("diffpruning:0.05:l0=0:epochs=2").delta
    cost = task_cost(learner, backbone().architecture, 2)
    assert delta.counts.without_head == cost.without_head == round(0.05 * WHOLE)
    assert task_cost(parse_learner("diffpruning"), known_architecture("bert-base"), 2).without_head == 547_411


def test_a_penalty_that_closes_gates_keeps_less() -> None:
    strong = run("diffpruning:0.9:l0=0.1:epochs=12:after=0.9", rising()).delta
    assert strong.counts.without_head < 0.5 * WHOLE


@pytest.mark.parametrize(("after", "least"), [(0.0, 1), (0.5, 4), (0.9, 7)])
def test_patience_ends_no_run_before_pruning(after: float, least: int) -> None:
    """Of eight epochs the first has the best score: none unpruned is kept, and waiting begins after pruning."""
    answers = iter([0.9] + [0.1] * 20)
    found = run(f"diffpruning:0.05:epochs=8:patience=1:after={after}", lambda target, output: next(answers))
    assert len(found.validation) >= least
    assert found.best >= least - 1
    assert found.delta.counts.without_head <= round(0.05 * WHOLE)


def test_what_stays_is_trained_on_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    after: list[dict[str, Tensor]] = []
    honest = learners.training.fit.to_delta

    def watching(*arguments: object) -> Delta:
        delta = honest(*arguments)  # type: ignore[arg-type]
        after.append(differences(delta))
        return delta

    monkeypatch.setattr(learners.training.fit, "to_delta", watching)
    run("diffpruning:0.05:epochs=4:after=0.5:l0=0", rising())
    flat = [torch.cat([t.flatten() for t in tensors.values()]) for tensors in after]
    kept = [set(values.nonzero().flatten().tolist()) for values in flat]
    assert len(kept[0]) > 0.5 * WHOLE, "gates that are open leave all"
    assert len(kept[1]) == round(0.05 * WHOLE)
    assert kept[3] <= kept[1]
    stays = torch.tensor(sorted(kept[1]))
    assert (flat[3][stays] != flat[1][stays]).float().mean() > 0.9


def test_it_learns() -> None:
    base = backbone("bert", "mean")
    learner = parse_learner("diffpruning:0.2:learning_rate=3e-2:epochs=8:batch_size=8")
    found = fit(base, learner, DATA, score, 0)
    output = predict(base, learner, found.delta, DATA.train, evaluation_plan(DATA.train))
    assert score(np.asarray(DATA.train.target), output) > 0.8, "the majority is 0.5"


def test_no_epoch_leaves_no_difference() -> None:
    delta = run("diffpruning:0.05:epochs=0").delta
    assert not any(tensor.any() for tensor in differences(delta).values())
