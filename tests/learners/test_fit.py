"""The training loop: reproducible, chooses the best epoch, learns, and leaves no trace on the backbone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import learners.training.fit
from learners.backbones.backbone import changed_tensor
from learners.delta.initial import initial_delta
from learners.forward.batches import evaluation_plan, training_plan
from learners.forward.flops import flops_per_row
from learners.forward.polynomial import total_flops
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.training.adamw import AdamW
from learners.training.divergence import Diverged
from learners.training.fit import fit
from learners.training.loss import task_loss
from learners.training.optimiser import EPSILON, clip_gradients, decays, groups_of, schedule, set_rate
from learners.training.predict import predict
from learners.training.result import Fit
from tasks.encoded import EncodedTask
from tasks.examples import SPLITS
from tasks.seeds import seed_of
from tests.loaded import backbone, encoded, moved, score

DATA = encoded("colours")
QUICK = ":epochs=2:batch_size=16"
LEARNERS = ("full", "topk:1", "layernorm", "adapter:8", "adapterbias", "adapterbias:l0:share=alpha", "head", "bitfit",
            "compacter:8", "diffpruning:0.1", "feature:2", "ia3", "lora:2", "mam:prefix=4:parallel=8:mlp=6", "mhpa:4",
            "pfeiffer:8:wiring=code", "prompt:4")  # fmt: skip


def run(specification: str, data: EncodedTask = DATA, seed: int = 0, **more: Any) -> Fit:
    return fit(backbone(), parse_learner(specification), data, more.pop("score", score), seed, **more)


fitted = cache(run)


def script(values: list[float]) -> tuple[Callable[[np.ndarray, np.ndarray], float], list[np.ndarray]]:
    """A metric that answers `values` one after another, and the logits it was shown."""
    shown: list[np.ndarray] = []
    answers: Iterator[float] = iter(values)

    def answer(target: np.ndarray, output: np.ndarray) -> float:
        shown.append(output.copy())
        return next(answers)

    return answer, shown


# ---- reproducibility


@pytest.mark.parametrize("specification", LEARNERS)
def test_same_inputs_same_bytes_whatever_was_drawn_before_and_the_backbone_is_what_it_was(specification: str) -> None:
    base = backbone()
    weights = {name: t.numpy().tobytes() for name, t in base.weights.items()}
    first = fitted(specification + QUICK)
    torch.manual_seed(12345)
    torch.rand(77)
    np.random.seed(3)
    state = torch.get_rng_state()
    again = run(specification + QUICK)
    assert again.delta.id == first.delta.id
    assert (again.losses, again.validation, again.best) == (first.losses, first.validation, first.best)
    assert torch.equal(torch.get_rng_state(), state), "the global generator is left as it was"
    assert changed_tensor(base) is None
    assert {name: t.numpy().tobytes() for name, t in base.weights.items()} == weights
    assert not any(weight.requires_grad or weight.grad is not None for weight in base.encoder.values())


@pytest.mark.parametrize("specification", ["full", "adapter:8", "head"])
def test_another_seed_or_task_name_is_another_fit(specification: str) -> None:
    renamed = replace(DATA, task=replace(DATA.task, name="shades"))
    others = (run(specification + QUICK, data, seed).delta.id for data, seed in ((DATA, 1), (renamed, 0)))
    assert len({fitted(specification + QUICK).delta.id, *others}) == 3


def test_the_name_of_the_learner_is_part_of_its_seeds() -> None:
    isolated, sequential = (run(f"full:{sharing}{QUICK}") for sharing in ("isolated", "sequential"))
    assert isolated.delta.id != sequential.delta.id


def test_dropout_is_drawn_and_can_be_switched_off() -> None:
    losses = [run(f"adapter:8:dropout={text}{QUICK}").losses for text in ("yes", "no")]
    assert losses[0] != losses[1]


def test_the_delta_shares_no_memory_with_the_backbone() -> None:
    held = {t.untyped_storage().data_ptr() for t in backbone().weights.values()}
    for epochs in (1, 2):
        delta = run(f"full:epochs={epochs}").delta
        assert not held & {t.untyped_storage().data_ptr() for t in delta.tensors.values()}


# ---- the best epoch


def test_the_best_epoch_is_kept_and_its_logits_are_those_that_were_scored() -> None:
    metric, shown = script([0.1, 0.9, 0.3, 0.2])
    found = run("full:learning_rate=1e-2:epochs=4:batch_size=16", score=metric)
    assert (found.best, found.validation) == (1, (0.1, 0.9, 0.3, 0.2))
    learner, plan = parse_learner("full"), evaluation_plan(DATA.validation)
    output = predict(backbone(), learner, found.delta, DATA.validation, plan)
    assert output.tobytes() == shown[1].tobytes()
    assert len({logits.tobytes() for logits in shown}) == 4, "every epoch moved the weights"


def test_a_tied_score_goes_to_the_lower_loss() -> None:
    metric, shown = script([0.5] * 4)
    found = run("full:learning_rate=1e-2:epochs=4:batch_size=16:patience=9", score=metric)
    target = torch.from_numpy(np.asarray(DATA.validation.target))
    losses = [task_loss(torch.from_numpy(logits), target).item() for logits in shown]
    assert found.best == int(np.argmin(losses))
    assert len(set(losses)) == 4


@pytest.mark.parametrize(
    ("scores", "patience", "seen", "best"),
    [
        ([0.9, 0.1, 0.1, 0.1, 0.1, 0.1], 2, 3, 0),
        ([0.9, 0.1, 0.1, 0.1, 0.1, 0.1], 1, 2, 0),
        ([0.1, 0.2, 0.1, 0.3, 0.2, 0.2], 2, 6, 3),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 1, 6, 5),
    ],
)
def test_early_stop(scores: list[float], patience: int, seen: int, best: int) -> None:
    metric, _ = script(scores)
    found = run(f"head:epochs=6:batch_size=48:patience={patience}", score=metric)
    assert (len(found.validation), found.best, len(found.losses)) == (seen, best, seen)
    assert found.examples == 48 * seen


def test_patience_0_never_stops_early_and_keeps_the_best_epoch() -> None:
    metric, _ = script([0.9, 0.1, 0.1, 0.1, 0.1, 0.1])
    found = run("head:epochs=6:batch_size=48:patience=0", score=metric)
    assert (len(found.validation), len(found.losses), found.best) == (6, 6, 0)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_training_stops_after_patience_epochs_without_a_better_score(patience: int, since: int) -> None:
    training = parse_learner(f"head:patience={patience}").training
    assert training.stops(since) == (patience != 0 and since >= patience)


def test_no_epoch_gives_the_start() -> None:
    learner = parse_learner("adapter:8:epochs=0")
    found = run("adapter:8:epochs=0")
    assert found.delta.id == initial_delta(backbone(), learner, DATA.task, 0).id
    assert (found.best, found.validation, found.examples, found.flops) == (-1, (), 0, 0.0)


# ---- sequential learners


@pytest.mark.parametrize("specification", ["full:sequential", "adapter:8:sequential", "adapterbias:sequential"])
def test_a_sequential_learner_takes_the_body_but_not_the_head(specification: str) -> None:
    learner = parse_learner(specification)
    previous = moved(backbone(), learner, encoded("earlier", classes=3).task)
    still = run(f"{specification}:epochs=0", previous=previous).delta
    assert all(torch.equal(t, previous.tensors[n]) for n, t in still.tensors.items() if not n.startswith("head."))
    assert still.tensors["head.weight"].shape == (2, 16)
    before = previous.id
    learned = run(specification + QUICK, previous=previous).delta
    assert learned.id != fitted(specification + QUICK).delta.id
    assert type(previous)(previous.tensors).id == before, "the earlier Delta is not written to"


# ---- what is learned


@pytest.mark.parametrize(
    "specification",
    [
        "full:learning_rate=1e-2",
        "topk:1:learning_rate=1e-2",
        "layernorm:learning_rate=1e-1",
        "adapter:16:learning_rate=3e-2",
        "adapterbias:share=alpha:learning_rate=1e-1",
        "head:learning_rate=3e-1",
        "bitfit:learning_rate=1e-1",
        "compacter:16:learning_rate=1e-1",
        "feature:2:learning_rate=1e-1",
        "ia3:learning_rate=1e-2",
        "lora:8:learning_rate=1e-1",
        "mhpa:8:learning_rate=1e-1",
        "mam:prefix=4:parallel=16:learning_rate=3e-2",
        "prompt:4:learning_rate=1e-1",
    ],
)
def test_every_learner_learns_a_learnable_task(specification: str) -> None:
    base, learner = backbone("bert", "mean"), parse_learner(f"{specification}:epochs=6:batch_size=8")
    found = fit(base, learner, DATA, score, 0)
    plan = evaluation_plan(DATA.train)
    train = score(np.asarray(DATA.train.target), predict(base, learner, found.delta, DATA.train, plan))
    assert train > 0.8, "the majority is 0.5"
    assert max(found.validation) > 0.8
    assert min(found.losses) < found.losses[0]


def test_regression() -> None:
    stars = encoded("stars", classes=4, kind="regression")
    base = backbone("bert", "mean")
    found = fit(base, parse_learner("full:learning_rate=1e-2:epochs=6:batch_size=8"), stars, score, 0)
    assert found.delta.tensors["head.weight"].shape == (1, 16)
    assert -max(found.validation) < 0.6 * float(np.var(stars.validation.target))


def test_a_regression_does_not_depend_on_the_unit_of_its_target() -> None:
    """It is trained on standardised targets: 100 y + 500 gives the same losses, and its predictions 100 ŷ + 500."""
    stars = encoded("stars", classes=4, kind="regression")
    base, learner = backbone("bert", "mean"), parse_learner("full:learning_rate=1e-2:epochs=3:batch_size=16")
    splits = {name: getattr(stars, name) for name in ("train", "validation")}
    scaled = replace(stars, **{n: replace(s, target=100 * s.target + np.float32(500)) for n, s in splits.items()})
    fits = [fit(base, learner, data, score, 0) for data in (stars, scaled)]
    assert fits[0].losses == pytest.approx(fits[1].losses, rel=1e-3)
    plan = evaluation_plan(stars.test)
    plain, large = (predict(base, learner, found.delta, stars.test, plan) for found in fits)
    np.testing.assert_allclose(large, 100 * plain + 500, rtol=1e-3)


def test_a_constant_target_can_be_trained_on() -> None:
    stars = encoded("stars", classes=4, kind="regression")
    level = replace(stars, train=replace(stars.train, target=np.full(48, 2.5, np.float32)))
    found = run("head" + QUICK, level)
    output = predict(backbone(), parse_learner("head"), found.delta, stars.test, evaluation_plan(stars.test))
    np.testing.assert_allclose(output, 2.5, atol=0.5)


def test_bfloat16_learns_as_well() -> None:
    half = backbone("bert", "mean", "bfloat16")
    found = fit(half, parse_learner("full:learning_rate=1e-2:epochs=6:batch_size=8"), DATA, score, 0)
    assert max(found.validation) > 0.8
    assert all(t.dtype == torch.float32 for t in found.delta.tensors.values())
    assert changed_tensor(half) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=48))
def test_majority_is_the_most_frequent_label(labels: list[int]) -> None:
    wide = encoded("wide", classes=4)
    train = wide.train.select(np.arange(len(labels)))
    data = replace(wide, train=replace(train, target=np.array(labels, dtype=np.int64)))
    found = run("majority", data)
    output = predict(backbone(), parse_learner("majority"), found.delta, data.test, evaluation_plan(data.test))
    counts = np.bincount(labels, minlength=4)
    assert (output.argmax(1) == counts.argmax()).all()
    shares = torch.from_numpy(output[0]).softmax(0).numpy()
    np.testing.assert_allclose(shares, (counts + 1) / (len(labels) + 4), rtol=1e-5)
    assert found.flops == 0


def test_majority_of_a_regression_is_the_mean() -> None:
    stars = encoded("stars", classes=4, kind="regression")
    found = run("majority", stars)
    assert found.delta.tensors["head.bias"].item() == pytest.approx(float(stars.train.target.mean()), rel=1e-6)


# ---- divergence


def reckless(specification: str, **settings: Any) -> Learner:
    learner = parse_learner(specification)
    return replace(learner, training=replace(learner.training, learning_rate=1e30, **settings))


@pytest.mark.parametrize(
    ("settings", "message", "step"),
    [
        ({"batch_size": 4, "epochs": 2}, r"the loss is nan at step 2 of 24 \(epoch 1\)", 2),
        (
            {"batch_size": 48, "epochs": 1},
            r"a logit of a validation row is not finite after step 1 of 1 \(epoch 1\)",
            1,
        ),
    ],
)
def test_divergence_is_said_and_leaves_the_backbone_usable(settings: dict[str, Any], message: str, step: int) -> None:
    base = backbone()
    with pytest.raises(Diverged, match=message) as caught:
        fit(base, reckless("adapter:8", **settings), DATA, score, 0)
    assert caught.value.step == step
    assert caught.value.flops > 0
    assert changed_tensor(base) is None
    assert not any(weight.requires_grad for weight in base.encoder.values())


def test_nan_among_the_targets_is_no_silent_zero() -> None:
    stars = encoded("stars", classes=4, kind="regression")
    broken = stars.train.target.copy()
    broken[5] = np.nan
    with pytest.raises(Diverged, match="the loss is nan at step 1 of"):
        run("head", replace(stars, train=replace(stars.train, target=broken)))


def test_a_loss_that_overflows_is_divergence() -> None:
    """Scores of 1e30: standardised they train well, but their squares are beyond float32."""
    stars = encoded("stars", classes=4, kind="regression")
    splits = {name: replace(getattr(stars, name), target=getattr(stars, name).target * 1e30) for name in SPLITS}
    with pytest.raises(Diverged, match="the validation loss is inf after step 6 of 12") as caught:
        run("head:batch_size=8:epochs=2", replace(stars, **splits))
    assert caught.value.step == 6


def test_a_broken_weight_that_no_validation_row_reads_is_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, name = learners.training.fit.to_delta, "backbone.embeddings.word_embeddings.weight"

    def broken(*arguments: Any) -> Any:
        delta = honest(*arguments)
        delta.tensors[name][3] = float("nan")  # [SEP] is 3, [UNK] is 1: no row holds the latter
        return delta

    def harmless(*arguments: Any) -> Any:
        delta = honest(*arguments)
        delta.tensors[name][1] = float("nan")
        return delta

    monkeypatch.setattr(learners.training.fit, "to_delta", broken)
    with pytest.raises(Diverged, match="a logit of a validation row is not finite"):
        run("full:epochs=1")
    monkeypatch.setattr(learners.training.fit, "to_delta", harmless)
    with pytest.raises(Diverged, match=rf"tensor {name} is not finite after step \d+ of \d+ \(epoch 1\)"):
        run("full:epochs=1")


def test_a_majority_without_a_finite_mean_has_diverged() -> None:
    stars = encoded("stars", classes=4, kind="regression")
    broken = replace(stars.train, target=np.full(len(stars.train), np.inf, dtype=np.float32))
    with pytest.raises(Diverged, match="mean score"):
        run("majority", replace(stars, train=broken))


# ---- schedule and optimiser


@given(st.integers(1, 5000), st.floats(0, 0.9))
def test_schedule_rises_then_falls_without_a_jump(steps: int, warmup: float) -> None:
    rates = [schedule(step, steps, warmup) for step in range(steps)]
    rising = max(1, round(steps * warmup))
    assert max(rates) == 1.0
    assert all(0 < rate <= 1 for rate in rates)
    differences = np.diff(rates)
    assert (differences[: rising - 1] > 0).all()
    assert (differences[rising:] < 0).all()
    assert np.abs(differences).max(initial=0) <= max(1 / rising, 1 / max(1, steps - rising)) + 1e-9
    assert schedule(steps, steps, warmup) == 0.0 or rising == steps


def test_schedule_at_hand_worked_points() -> None:
    """100 steps, a tenth of warm-up: 1/10 at the first, the peak at t = w both ways, half of it midway down."""
    found = {step: schedule(step, 100, 0.1) for step in (0, 4, 9, 10, 11, 55, 99)}
    assert found == pytest.approx({0: 0.1, 4: 0.5, 9: 1.0, 10: 1.0, 11: 89 / 90, 55: 0.5, 99: 1 / 90})


@given(st.integers(1, 500), st.floats(0, 1))
def test_without_decay_the_rate_stays_at_its_peak(steps: int, warmup: float) -> None:
    rates = [schedule(step, steps, warmup, decay=False) for step in range(steps)]
    rising = max(1, round(steps * warmup))
    assert rates[:rising] == [schedule(step, steps, warmup) for step in range(rising)]
    assert set(rates[rising:]) <= {1.0}


def test_without_warmup_the_first_step_has_the_full_rate() -> None:
    assert [schedule(step, 4, 0.0) for step in range(4)] == pytest.approx([1, 1, 2 / 3, 1 / 3])


@pytest.mark.parametrize(("largest", "norm"), [(0.0, 10.0), (2.5, 2.5), (9.0, 9.0), (11.0, 10.0)])
def test_gradients_are_clipped_to_their_common_norm(largest: float, norm: float) -> None:
    leaves = [torch.zeros(2), torch.zeros(1), torch.zeros(1)]
    leaves[0].grad, leaves[1].grad = torch.tensor([6.0, 0.0]), torch.tensor([8.0])
    clip_gradients(leaves, largest)
    found = torch.cat([leaf.grad for leaf in leaves if leaf.grad is not None])
    assert found.norm().item() == pytest.approx(norm, rel=1e-5)
    assert (found / found.norm()).tolist() == pytest.approx([0.6, 0.0, 0.8])
    assert leaves[2].grad is None


@pytest.mark.parametrize(
    ("option", "other"),
    [
        ("warmup=0", "warmup=0.5"),
        ("clip=0", "clip=1e-6"),
        ("head_dropout=0", "head_dropout=0.5"),
        ("decay=no", "decay=yes"),
    ],
)
def test_an_option_reaches_the_loop(option: str, other: str) -> None:
    """Each changes what is learned; the start and the batches are the same."""
    base = "adapter:4:epochs=2:batch_size=16:learning_rate=1e-2:dropout=no"
    assert run(f"{base}:{option}").delta.id == run(f"{base}:{option}").delta.id
    assert run(f"{base}:{option}").delta.id != run(f"{base}:{other}").delta.id


def test_a_large_bound_on_the_gradient_is_no_bound() -> None:
    base = "adapter:4:epochs=1:batch_size=16:learning_rate=1e-2"
    assert run(f"{base}:clip=1e6").delta.id == run(f"{base}:clip=0").delta.id


def test_decay_spares_norms_biases_and_factors() -> None:
    """Factors of IA3 begin at 1: decay would draw them, and with them keys and values, to 0."""
    base = backbone()
    tensors = {
        name: tensor
        for s in ("full", "adapter:8", "adapterbias", "layernorm", "ia3", "vera:4", "lora:2", "prefix:2:mlp=0")
        for name, tensor in initial_delta(base, parse_learner(s), DATA.task, 0).tensors.items()
    }
    spared = {name for name, tensor in tensors.items() if not decays(name, tensor)}
    factors = {name for name in tensors if name.endswith((".factor", ".d", ".b"))}
    assert len(factors) > 10
    assert all(name.endswith(".bias") or "LayerNorm" in name for name in spared - factors)
    assert factors <= spared
    assert {"head.bias", "added.adapter.ffn.0.up.bias", "added.adapterbias.1.alpha.bias"} <= spared
    assert "backbone.embeddings.LayerNorm.weight" in spared
    for name in (
        "head.weight",
        "added.adapter.ffn.0.up.weight",
        "added.adapterbias.0.vector",
        "added.adapterbias.0.alpha.weight",
        "added.prefix.0.keys",
    ):
        assert decays(name, tensors[name])


def test_gates_have_a_constant_rate_of_their_own_or_share_the_others() -> None:
    trainable = {"head.weight": torch.zeros(2, 2), "head.bias": torch.zeros(2)}
    gates = {"alpha.weight": torch.zeros(3)}
    training = parse_learner("adapterbias:learning_rate=1e-2").training
    for rate, expected in ((0.1, [0.005, 0.005, 0.1]), (None, [0.005, 0.005, 0.005])):
        optimiser = AdamW(groups_of(training, trainable, gates, training.learning_rate, rate), EPSILON)
        set_rate(optimiser, 0.5)
        assert [group["lr"] for group in optimiser.param_groups] == pytest.approx(expected)
        assert [group["weight_decay"] for group in optimiser.param_groups] == [0.01, 0.0, 0.0]
        assert [len(group["params"]) for group in optimiser.param_groups] == [1, 1, 1]
    assert len(AdamW(groups_of(training, trainable, {}, training.learning_rate, None), EPSILON).param_groups) == 2


# ---- L0


def l0_fit(penalty: str, gates: str = "diff-pruning", extra: str = "") -> Fit:
    """120 steps; a metric that always rises keeps the last epoch, when the gates have moved."""
    metric, _ = script([float(i) for i in range(10)])
    return run(f"adapterbias:l0={penalty}:gates={gates}:epochs=10:batch_size=4{extra}", score=metric)


@pytest.mark.parametrize("share", ["none", "alpha"])
def test_a_high_penalty_prunes_nearly_all_of_alpha_and_nothing_else(share: str) -> None:
    found = l0_fit("1", extra=f":share={share}").delta
    gated = {name for name in found.tensors if name.endswith("alpha.weight")}
    assert found.pruned == gated
    entries = sum(found.tensors[name].numel() for name in gated)
    kept = sum(int(torch.count_nonzero(found.tensors[name])) for name in gated)
    assert kept < 0.1 * entries
    others = sum(t.numel() for n, t in found.tensors.items() if n.startswith("added.") and n not in gated)
    assert found.counts.added == others + kept


def test_a_vanishing_penalty_prunes_nothing() -> None:
    found = l0_fit("1e-9", extra=":learning_rate=0.01").delta
    entries = [found.tensors[name] for name in found.pruned]
    assert sum(map(torch.count_nonzero, entries)) == sum(t.numel() for t in entries) == 64


def test_a_higher_penalty_keeps_less_with_louizos_too() -> None:
    kept = [l0_fit(penalty, "louizos", ":learning_rate=0.1").delta.counts.added for penalty in ("1e-9", "1")]
    assert kept[0] == 98, "all of them"
    assert kept[1] < 98


def test_no_gates_no_pruning() -> None:
    assert fitted("adapterbias" + QUICK).delta.pruned == frozenset()


# ---- the account


@pytest.mark.parametrize("specification", ["adapter:8", "full"])
def test_flops_and_examples_are_those_of_the_batches_with_their_padding(specification: str) -> None:
    learner = parse_learner(f"{specification}:epochs=2:batch_size=20")
    found = fit(backbone(), learner, DATA, score, 0)
    order = seed_of(0, learner.name, DATA.task.name, "order")
    per_row = flops_per_row(backbone().architecture, learner, 2, backward=True)
    batches = [rows for epoch in range(2) for rows in training_plan(DATA.train, 20, order, epoch).batches]
    expected = sum(total_flops(per_row, len(rows), int(DATA.train.lengths[rows].max())) for rows in batches)
    assert found.flops == pytest.approx(expected, rel=1e-12)
    assert found.examples == 96
    assert found.seconds > 0


def test_progress_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners.training.fit, "PROGRESS_SECONDS", -1.0)
    events: list[dict[str, Any]] = []
    quiet = fitted("head" + QUICK).delta
    assert run("head" + QUICK, report=events.append).delta.id == quiet.id, "watching changes nothing"
    assert [event["step"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[-1]["steps"] == 6
    assert [event["epoch"] for event in events] == [1, 1, 1, 2, 2, 2]
    assert all(event["examples_per_second"] > 0 and np.isfinite(event["loss"]) for event in events)


def test_loss_of_both_kinds() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    by_hand = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(1.0))) / 2
    assert task_loss(logits, torch.tensor([0, 0])).item() == pytest.approx(by_hand, rel=1e-6)
    assert task_loss(torch.tensor([[1.0], [4.0]]), torch.tensor([0.0, 1.0])).item() == pytest.approx((1 + 9) / 2)
