"""Strategies of Avalanche on tasks one after another: naive is full:sequential bit for bit; what the others keep."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from learners.backbones.backbone import Dtype, changed_tensor
from learners.delta.delta import Delta
from learners.forward.batches import Plan, collate, evaluation_plan
from learners.specification.family import parse_learner
from learners.training.divergence import Diverged
from learners.training.fit import fit
from learners.training.predict import predict
from learners.training.result import Fit
from stream.avalanche.benchmark import TIMELINE
from stream.avalanche.loop import Batches
from stream.avalanche.model import MASKED, loss_of
from stream.avalanche.registration import TRAINER
from stream.avalanche.rows import Rows
from stream.avalanche.session import Session
from stream.avalanche.strategy import strategy_of
from tasks.errors import InputError
from tests.loaded import backbone, encoded, score

STREAM = (
    encoded("three", classes=3, rows=32),
    encoded("pair", rows=32, kind="pair"),
    encoded("stars", classes=4, rows=32, kind="regression"),
)
QUICK = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3}
STRATEGIES = ("ewc", "lwf", "replay:mem_size=10", "agem:patterns_per_experience=6:sample_size=8", "gdumb:mem_size=12",
              "cumulative", "joint", "{ewc={},replay={mem_size=9}}")  # fmt: skip


def trainer(specification: str) -> Session:
    return Session(backbone(), parse_learner(f"avalanche:{specification}", QUICK), 0, STREAM, lambda task: score)


def learned_anew(specification: str) -> tuple[Session, list[Fit]]:
    own = trainer(specification)
    return own, [own.learn(data) for data in STREAM]


learned = cache(learned_anew)  # for those who look at it only


@pytest.mark.parametrize(
    ("model_type", "pooling", "dtype"),
    [
        ("bert", "cls", "float32"),
        ("distilbert", "mean", "float32"),
        ("bert", "mean", "bfloat16"),
        ("modernbert", "mean", "float32"),  # without dropout of its own
    ],
)
def test_naive_is_full_sequential_bit_for_bit(model_type: str, pooling: str, dtype: Dtype) -> None:
    """Same rows in the same batches, same dropout, same epoch kept; also the FLOPs."""
    base, full = backbone(model_type, pooling, dtype), parse_learner("full:sequential", {**QUICK, "epochs": 3})
    naive = parse_learner("avalanche:naive", {**QUICK, "epochs": 3})
    theirs, previous = Session(base, naive, 0, (), lambda task: score), None
    for data in STREAM:
        ours, found = fit(base, full, data, score, 0, previous), theirs.learn(data)
        for name in ("best", "validation", "losses", "flops", "examples"):
            assert getattr(found, name) == getattr(ours, name), name
        assert found.delta.id == ours.delta.id
        previous = ours.delta
    assert theirs.kept_bytes == 0
    assert changed_tensor(base) is None


@pytest.mark.parametrize(
    "settings", ["warmup=0:decay=no", "clip=0", "clip=1e-4", "head_dropout=0.5", "patience=0", "patience=1"]
)
def test_naive_follows_the_settings_of_the_loop(settings: str) -> None:
    base, quick = backbone(), {**QUICK, "epochs": 4, "learning_rate": 1e-2}
    full = parse_learner(f"full:sequential:{settings}", quick)
    theirs = Session(base, parse_learner(f"avalanche:naive:{settings}", quick), 0, (), lambda task: score)
    data = STREAM[0]
    ours, found = fit(base, full, data, score, 0), theirs.learn(data)
    assert (found.validation, found.losses, found.best) == (ours.validation, ours.losses, ours.best)
    assert found.delta.id == ours.delta.id
    if settings not in ("clip=0", "patience=0", "patience=1"):  # gradients are short here; patience moves no loss
        assert found.losses != fit(base, parse_learner("full:sequential", quick), data, score, 0).losses


@pytest.mark.parametrize("specification", STRATEGIES)
def test_the_same_tasks_give_the_same_deltas_whatever_was_drawn_and_not_those_of_naive(
    specification: str,
) -> None:
    base = backbone()
    states = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
            own, fits = learned_anew(f"{specification}:epochs=1")
            after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # type: ignore[index]
        assert before == after
        states.append((own.learned, [found.flops for found in fits], own.kept_bytes))
    assert states[0] == states[1]
    assert len(set(states[0][0])) == len(STREAM)
    assert changed_tensor(base) is None
    # And is not naive: from the second task on, or the first for joint training, as they draw the same.
    naive = learned("naive:epochs=1")[0]
    assert (naive.learned[0] == own.learned[0]) == (specification not in ("joint", "gdumb:mem_size=12"))
    assert naive.learned[1] != own.learned[1]


def test_heads_of_earlier_tasks_are_those_of_the_newest_model() -> None:
    """Replay trains them on; what answers for a task is its newest head."""
    own, (first, second, third) = learned("replay:mem_size=10")
    assert {name for name in second.delta.tensors if name.startswith("heads.")} == {
        "heads.three.weight",
        "heads.three.bias",
    }
    answering = third.delta.with_head(first.delta, "three")
    assert torch.equal(answering.tensors["head.weight"], third.delta.tensors["heads.three.weight"])
    assert not torch.equal(answering.tensors["head.weight"], first.delta.tensors["head.weight"])
    assert not any(name.startswith("heads.") for name in answering.tensors)
    assert Delta(answering.tensors).id == answering.id
    split, model = STREAM[0].test, own.strategy.model.eval()
    rows = np.arange(len(split))
    batch = collate(own.backbone, split, rows)
    with torch.no_grad():
        expected = model({"token_type_ids": None, **batch}, 0)
    found = predict(own.backbone, own.learner, answering, split, Plan((rows,)))
    torch.testing.assert_close(torch.from_numpy(found), expected)
    assert third.delta.counts.head == third.delta.tensors["head.weight"].numel() + 1


def test_the_head_of_a_regression_is_kept_in_its_own_scale() -> None:
    own = trainer("replay:mem_size=10")
    own.learn(STREAM[2])
    delta = own.learn(STREAM[0]).delta
    answers = predict(
        own.backbone,
        own.learner,
        delta.with_head(delta, "stars"),
        STREAM[2].test,
        evaluation_plan(STREAM[2].test),
    )
    assert abs(answers.mean() - STREAM[2].train.target.mean()) < STREAM[2].train.target.std()


def test_naive_leaves_earlier_heads_as_they_were() -> None:
    _, fits = learned("naive")
    assert not [name for found in fits for name in found.delta.tensors if name.startswith("heads.")]


def test_joint_training_learns_all_at_first_and_stays() -> None:
    own, fits = learned("joint")
    assert [found.examples for found in fits] == [2 * 96, 0, 0]
    assert [found.flops > 0 for found in fits] == [True, False, False]
    bodies = [{n: t for n, t in found.delta.digests.items() if n.startswith("backbone.")} for found in fits]
    assert bodies[0] == bodies[1] == bodies[2]
    for found, data in zip(fits, STREAM, strict=True):
        foreseen = fits[0].delta.with_head(fits[0].delta, data.task.name)
        assert foreseen.id == found.delta.with_head(found.delta).id
    assert own.kept_bytes == 0


def test_cumulative_training_sees_every_task_so_far() -> None:
    assert [found.examples for found in learned("cumulative")[1]] == [2 * 32, 2 * 64, 2 * 96]


def test_a_plugin_that_follows_updates_trains_all_epochs() -> None:
    specification = "SynapticIntelligencePlugin:si_lambda=0.1:epochs=4:patience=1"
    assert [(found.best, len(found.validation)) for found in learned(specification)[1]] == [(3, 4)] * 3
    assert any(len(found.validation) < 4 for found in learned("ewc:epochs=4:patience=1")[1])


def test_what_is_kept_counts_in_bytes() -> None:
    own, sizes = trainer("ewc"), [0]
    for number, data in enumerate(STREAM[:2]):
        own.learn(data)
        held = own.strategy.plugins[0]
        parameters = (*held.importances[number].values(), *held.saved_params[number].values())
        sizes.append(own.kept_bytes)
        assert sizes[-1] - sizes[-2] == 4 * sum(each.data.numel() for each in parameters)
    distilled, _ = learned("lwf")
    first = {f"backbone.{name}": weight for name, weight in distilled.backbone.weights.items()}
    named = distilled.strategy.model.named_parameters()
    changed = [each for name, each in named if name not in first or not torch.equal(each, first[name])]
    assert len(changed) > len(first) // 2
    assert distilled.kept_bytes == sum(each.nbytes for each in changed)
    replayed, _ = learned("replay:mem_size=10")
    policy = replayed.strategy.plugins[0].storage_policy
    assert len(policy.buffer) == 10
    rows = sum(5 * len(row["input_ids"]) + 8 for row in policy.buffer)
    assert replayed.kept_bytes == rows + sum(group._buffer_weights.nbytes for group in policy.buffer_groups.values())


def test_scratch_and_what_the_backbone_has_count_nothing() -> None:
    """A-GEM leaves the last step's gradient behind, GDumb a copy of the first model, whose heads alone are new."""
    projected, _ = learned("agem:patterns_per_experience=6:sample_size=8")
    plugin = projected.strategy.plugins[0]
    assert plugin.reference_gradients.numel() > 0
    assert [len(buffer) for buffer in plugin.buffers] == [6, 6, 6]
    assert projected.kept_bytes == sum(5 * len(row["input_ids"]) + 8 for buffer in plugin.buffers for row in buffer)
    greedy, _ = learned_anew("gdumb:mem_size=12")
    plugin = greedy.strategy.plugins[0]
    policy = plugin.storage_policy
    rows = sum(5 * len(row["input_ids"]) + 8 for row in policy.buffer)
    weights = sum(group._buffer_weights.nbytes for group in policy.buffer_groups.values())
    heads = sum(each.nbytes for each in plugin.init_model.heads.parameters())
    assert (rows > 0, heads > 0) == (True, True)
    assert greedy.kept_bytes == rows + weights + heads
    with torch.no_grad():
        changed = next(plugin.init_model.backbone.parameters())
        changed += 1.0
    assert greedy.kept_bytes == rows + weights + heads + changed.nbytes


def test_no_row_is_made_to_know_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    own, _ = learned("replay:mem_size=10")
    data = own.strategy.plugins[0].storage_policy.buffer
    expected, kept = [len(row["input_ids"]) for row in data], own.kept_bytes
    monkeypatch.delattr(Rows, "__getitem__")
    assert (Batches(data, 4, 0).lengths.tolist(), own.kept_bytes) == (expected, kept)


def test_classes_so_far_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    own, told = trainer("naive:epochs=1"), []
    honest = own.strategy.train

    def noted(experience: Any, **options: Any) -> None:
        told.append([getattr(experience, name) for name in TIMELINE])
        honest(experience, **options)

    monkeypatch.setattr(own.strategy, "train", noted)
    for data in STREAM:
        own.learn(data)
    assert told == [[[0, 1, 2], [], [0, 1, 2], []], [[0, 1], [0, 1, 2], [0, 1, 2], []], [[0], [0, 1, 2], [0, 1, 2], []]]


def test_what_a_strategy_draws_and_prints_when_it_is_made_is_kept_from_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, drawn = strategy_of, []

    def noisy(*given: Any) -> Any:
        print("noise")
        drawn.append((torch.rand(1).item(), random.random(), float(np.random.rand())))
        return honest(*given)

    for module in ("session", "strategy"):
        monkeypatch.setattr(f"stream.avalanche.{module}.strategy_of", noisy)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            trainer("naive")
            TRAINER.check(parse_learner("avalanche:naive"))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]  # type: ignore[index]
    assert drawn[:2] == drawn[2:]
    assert capsys.readouterr() == ("", "")


def test_extra_passes_count() -> None:
    """Distillation runs the old model, and the new one twice; replay twice the rows; importances one more pass."""
    flops = {name: [f.flops for f in learned(name)[1]] for name in ("naive", "lwf", "replay:mem_size=10", "ewc")}
    assert flops["lwf"][0] == flops["replay:mem_size=10"][0] == flops["naive"][0] < flops["ewc"][0]
    assert flops["lwf"][1] > 2 * flops["naive"][1]
    assert flops["replay:mem_size=10"][1] > flops["naive"][1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_of_rows_of_several_tasks(dtype: torch.dtype) -> None:
    """Each row under its own task's loss, and no gradient to classes that its task has not."""
    output = torch.randn((5, 4), dtype=dtype, generator=torch.Generator().manual_seed(0))
    widths = (4, 1, 2, 1, 3)
    for row, width in enumerate(widths):
        output[row, width:] = MASKED
    output.requires_grad_(True)
    target = torch.tensor([3.0, 0.25, 1.0, -2.0, 0.0], dtype=dtype)
    each: list[Tensor] = []
    for row, width in enumerate(widths):
        own = output[row : row + 1, :width]
        each.append(
            (own[0, 0] - target[row]) ** 2 if width == 1 else F.cross_entropy(own, target[row : row + 1].long())
        )
    found = loss_of(output, target)
    torch.testing.assert_close(found, torch.stack(each).mean())
    found.backward()  # type: ignore[no-untyped-call]
    assert output.grad is not None
    for row, width in enumerate(widths):
        assert (output.grad[row, width:] == 0).all()
        assert (output.grad[row, :width] != 0).all()


def test_a_loss_that_is_no_number_is_told_with_its_step() -> None:
    own = trainer("naive")
    own.learn(STREAM[0])
    honest, calls = own.strategy._criterion, []

    def broken(output: Tensor, target: Tensor) -> Tensor:
        calls.append(1)
        loss: Tensor = honest(output, target)
        return loss * (torch.nan if len(calls) == 3 else 1.0)

    own.strategy._criterion = broken
    with pytest.raises(Diverged, match=r"the loss is nan at step 3 of 4 \(epoch 2\)") as raised:
        own.learn(STREAM[1])
    assert raised.value.step == 3
    assert raised.value.flops > 0


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        ("LFLPlugin:lambda_e=1", r"task three: avalanche cannot train this.*NotImplementedError"),
        ("ER_ACE", r"task pair: avalanche cannot train this.*stack expects"),  # of torch, which it calls
        ("VAETraining", "avalanche cannot train this: its loss does not use logits and targets; found Inputs"),
        (
            "FeatureDistillationPlugin",
            "no head for this task; expected one of 1 heads; found task label 1",
        ),
    ],
)
def test_what_avalanche_cannot_train_is_told(
    specification: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=words):
        learned_anew(specification)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("loop.schedule", lambda: 1.0),
        ("model.pooled", lambda: None),
        ("model.dropout", lambda features, rate: F.linear(features, features[:, 1:])),  # a call of torch
        ("session.validation_loss", lambda: 1.0),
    ],
)
def test_a_defect_on_the_way_through_avalanche_is_ours(name: str, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"stream.avalanche.{name}", broken)
    with pytest.raises(RuntimeError if name == "model.dropout" else TypeError):
        trainer("naive").learn(STREAM[0])


@pytest.mark.parametrize("callback", ["score", "report"])
def test_a_defect_of_ours_is_no_fault_of_avalanche(callback: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.avalanche.loop.PROGRESS_SECONDS", -1.0)
    own = trainer("naive")

    def broken(*given: Any) -> Any:
        raise ZeroDivisionError("a defect")

    if callback == "score":
        own.score_of = lambda task: broken
    with pytest.raises(ZeroDivisionError, match="a defect"):
        own.learn(STREAM[0], broken if callback == "report" else lambda event: None)


def test_progress_is_told_to_a_reader_who_may_print(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.avalanche.loop.PROGRESS_SECONDS", -1.0)
    events: list[Any] = []
    own = trainer("naive")

    def noisy(output: Tensor, target: Tensor) -> Tensor:
        print("noise")
        return loss_of(output, target)

    own.strategy._criterion = noisy
    own.learn(STREAM[0], lambda event: (events.append(event), print("heard"))[0])
    assert capsys.readouterr() == ("heard\n" * 4, "")
    assert [event["step"] for event in events] == [1, 2, 3, 4]
    assert all(first["epoch"] <= second["epoch"] for first, second in pairwise(events))
    assert {event["steps"] for event in events} == {4}
