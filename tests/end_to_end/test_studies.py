"""The studies in scripts/experiments/studies at a tiny size: the runner's command line, and what it computes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from learners.backbones.architecture import Architecture
from learners.backbones.library import library_model
from learners.backbones.published import known_architecture
from learners.delta.delta import Delta
from learners.forward.batches import collate, evaluation_plan
from learners.specification.family import families, parse_learner
from learners.training.predict import predict
from stream import InputError
from stream.config.settings import RunConfig
from stream.results.fit_history import Choice, FitHistory
from stream.results.intervals import interval
from stream.results.learner_results import read_learner
from stream.study.members import Member
from stream.study.scores import Arm
from tasks import Task
from tasks.metrics import score
from tasks.standard_error import standard_error
from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read
from tests.runs import Answer

STUDIES = tuple(sorted(path.stem for path in (SCRIPTS / "studies").glob("*.toml")))
ONE = (*TINY, "--seed", "0", "--workers", "1")


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """Modules of scripts/experiments by name."""

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield load


@pytest.fixture(scope="module")
def league(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """One run of every family; the other studies that only look at a run look at this one."""
    out = tmp_path_factory.mktemp("league")
    # Diff pruning wants an epoch after pruning; what tests compute by hand is in float32 on any machine.
    more = ("--epochs", "2", "--dtype", "float32", "--out", str(out))
    return out, call("run_study", "league", "--suite", "sst2,rte", "--backbone", str(tiny_backbone), *ONE, *more)


def facts_of(document: dict[str, Any]) -> dict[str, Any]:
    """Facts of each learner of a study's document, by the row's name."""
    return {row["name"]: row["facts"] for row in document["rows"]}


def test_league(league: tuple[Path, Answer]) -> None:
    out, answer = league
    assert (answer.code, answer.err) == (0, "")
    document, results = read(out / "league.json"), read(out / "results.json")
    found = facts_of(document)
    assert "feature is left out: learner feature: more layers to read than the backbone has" in answer.out
    assert {name.split(":")[0] for name in found} == {*families()} - {"feature"}
    lines = answer.out.split("heads of the table")[-1].splitlines()
    shown = [line.split()[0] for line in lines if line.split() and line.split()[0] in found]
    assert shown == sorted(found, key=lambda name: -found[name]["score"]["mean"])
    for name, told in found.items():
        cost = results["learners"][name]["cost"]
        kept, heads, size = (
            sum(cost[f"{what}_per_task"].values()) for what in ("kept_parameters", "head_parameters", "bytes")
        )
        assert (told["kept"], told["bytes"]) == (kept / 2, (size - 4 * heads) / 2)
        assert told["share"] == told["kept"] / results["backbone"]["parameters"]
        assert told["score"]["mean"] == pytest.approx(sum(results["learners"][name]["R"][-1]) / 2)
        assert name in answer.out
    assert found["diffpruning"]["kept"] < found["diffpruning"]["trained"]
    assert {each["verdict"] for each in document["findings"]} <= {"holds", "fails", "open"}
    assert "MAM is within a point of full fine-tuning. Here mam minus full:isolated" in " ".join(answer.out.split())


def test_removal(league: tuple[Path, Answer], script: Any, tmp_path: Path) -> None:
    run = league[0]
    answer = call("removal", "--run", str(run), "--learner", "adapter", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found, results = read(tmp_path / "removal.json"), read(run / "results.json")
    best = {task: fit["validation"][fit["best"]] for task, fit in results["learners"]["adapter"]["fits"].items()}
    assert {task: each[0]["whole"] for task, each in found["tasks"].items()} == best  # validation rows, as in the paper
    removal = script("removal")
    finished = removal.opened(run, "adapter")
    whole, none = finished.delta("sst2"), range(2)
    data = finished.bench.data("sst2")
    bare = {name: tensor for name, tensor in whole.tensors.items() if not name.startswith("added.")}
    without = predict(
        finished.backbone,
        replace(finished.learner, modifications=()),
        Delta(bare),
        data.validation,
        evaluation_plan(data.validation),
    )
    score, logits = finished.score("sst2", removal.without(finished, whole, none), "validation")
    assert logits.tobytes() == without.tobytes()
    assert found["tasks"]["sst2"][0]["scores"][0][1] == score
    assert found["tasks"]["sst2"][0]["scores"][1][0] is None  # no span
    parts = [removal.without(finished, whole, range(k, k + 1)) for k in range(2)]
    one = [finished.score("sst2", part, "validation")[1].tobytes() for part in parts]
    assert len({*one, logits.tobytes(), finished.score("sst2", whole, "validation")[1].tobytes()}) == 4
    refused = call("removal", "--run", str(run), "--learner", "ia3", "--out", str(tmp_path / "none"))
    assert refused.code == 2
    assert "ia3: setting it to zero does not remove it" in refused.err


def test_parts_lost(script: Any) -> None:
    seeds = [{"whole": whole, "scores": np.array([[0.5, 0.2], [np.nan, 0.4]])} for whole in (0.6, 1.0)]
    np.testing.assert_allclose(script("removal").drops(seeds), 1 - np.array([[0.5, 0.2], [np.nan, 0.4]]) / 0.8)
    assert script("removal").drops([{**seeds[0], "whole": 0.05}]) is None


def test_token_weights(league: tuple[Path, Answer], script: Any, tmp_path: Path) -> None:
    run = league[0]
    given = ("--run", str(run), "--learner", "adapterbias", "--least", "1", "--out", str(tmp_path))
    answer = call("token_weights", *given)
    assert (answer.code, answer.err) == (0, "")
    module = script("token_weights")
    finished = module.open_finished(run, "adapterbias")
    split, delta = finished.bench.data("sst2").test, finished.delta("sst2")
    found = module.lengths(finished, delta, split)
    # layer 0 of the first row by hand: what enters it does not depend on the shift
    model = library_model(finished.backbone)
    layer = model.encoder.layer[0]
    with torch.no_grad():
        batch = collate(finished.backbone, split, np.array([0]))
        entering = model.embeddings(batch["input_ids"], batch["token_type_ids"])
        inside = layer.intermediate(layer.attention(entering)[0])[0]
    weight, bias, v = (delta.tensors[f"added.adapterbias.0.{key}"] for key in ("alpha.weight", "alpha.bias", "vector"))
    expected = (inside @ weight[0] + bias).abs() * (v - v.mean()).norm()
    np.testing.assert_allclose(found[0, : split.lengths[0]], expected.numpy(), rtol=1e-4, atol=1e-8)
    # (2 v + 1, L_alpha / 2) is the same function: the norm takes the ones away
    changed = {name: 2 * t + 1 if name.endswith("vector") else t / 2 if "alpha" in name else t
               for name, t in delta.tensors.items()}  # fmt: skip
    np.testing.assert_allclose(module.lengths(finished, Delta(changed), split), found, rtol=1e-2, atol=1e-6)
    for task, told in read(tmp_path / "token_weights.json")["tasks"].items():
        shifts = [word["shift"] for word in told["words"]]
        assert shifts == sorted(shifts, reverse=True), task
        assert not {"[CLS]", "[SEP]"} & {word["word"] for word in told["words"]}


def test_bits_of_a_class(script: Any) -> None:
    """A token in all rows of one class and in none of the other tells a bit; one in half of each tells nothing."""
    rows = np.array([[8, 0], [4, 4], [0, 0], [8, 8]])
    bits = script("token_weights").information(rows, np.array([8, 8]))
    np.testing.assert_allclose(bits, [1, 0, 0, 0], atol=1e-12)


def test_where_words_begin(script: Any) -> None:
    begins = script("token_weights").begins
    assert begins(["[CLS]", "un", "##do", ","]).tolist() == [True, True, False, True]
    assert begins(["<s>", "Ġun", "do", ",", "Ġgood"]).tolist() == [True, True, False, True, True]


def test_trade_off(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2,rte,cola", "--backbone", str(tiny_backbone), "--learners", "adapter:2,adapter:4,topk:1")
    answer = call("run_study", "trade_off", *given, *ONE, "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    document, results = read(tmp_path / "trade_off.json"), read(tmp_path / "results.json")
    rows = {row["name"]: row for row in document["rows"]}
    assert list(rows) == ["full:isolated", "adapter:2", "adapter:4", "topk:1"]
    full = np.array(results["learners"][rows["full:isolated"]["learner"]]["R"][-1])
    for row in rows.values():
        rates = row["learner"].partition(":learning_rate=")[2].split("/")
        assert len(rates) == 3, "every size chooses its own rate"
        low, middle, high = sorted(np.array(results["learners"][row["learner"]]["R"][-1]) - full)
        # of three values the 20th percentile lies 0.4 of the way from the first to the second
        expected = [low + 0.4 * (middle - low), middle, middle + 0.6 * (high - middle)]
        assert [*row["facts"]["percentiles"].values()] == pytest.approx(expected)
        assert sum(row["facts"]["chosen"].values()) == 3


def rows_for(script: Any, study: str, architecture: Architecture) -> Any:
    """A study of the folder with its rows expanded."""
    left: list[str] = []
    found = script("study_file").expanded(script("study_file").read_study(study), architecture, left.append)
    assert not left
    return found


def test_the_grid_of_the_trade_off(script: Any) -> None:
    grid = [row.name for row in rows_for(script, "trade_off", known_architecture("bert-base")).rows]
    assert [name for name in grid if name.startswith("adapter:")] == [
        f"adapter:{m}" for m in (2, 4, 8, 16, 32, 64, 128, 256)
    ]
    assert sum(name.startswith("topk:") for name in grid) == 12


def test_initial_scales(script: Any) -> None:
    study = rows_for(script, "initial_scale", known_architecture("bert-base"))
    learners = [parse_learner(row.learner) for row in study.rows]
    assert [learner.modifications[0].form.std for learner in learners] == [10.0**e for e in range(-7, 1)]
    assert study.reference == study.rows[5].name
    assert [claim.first[-4:] for claim in study.claims] == ["1e-7", "1e-4", "=1e0", "=1e0"]


def test_ablation_of_adapterbias(script: Any) -> None:
    study = rows_for(script, "adapterbias_ablation", known_architecture("bert-base"))
    points = [(learner.penalty, learner.gates is None) for row in study.rows if (learner := parse_learner(row.learner))]
    penalties = (1e-6, 1e-5, 1e-4, 1e-3)
    gated = [(penalty, False) for penalty in penalties for gates in range(2)]
    assert points == [(0.0, True)] * 4 + gated * 4
    names = {row.name for row in study.rows}
    assert {each for claim in study.claims for each in (claim.first, claim.second)} <= names


def test_forms(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2", "--backbone", str(tiny_backbone), *ONE, "--out", str(tmp_path))
    answer = call("run_study", "forms", *given)
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "forms.json")
    assert {row["group"] for row in found["rows"]} == {"3", "4", "5", "6"}
    assert len(found["findings"]) == 14
    for row in found["rows"]:
        assert row["counted"] <= row["facts"]["trained"]
        assert row["name"] in answer.out


def test_counts_and_budgets(script: Any) -> None:
    """Counts as He et al. count (Tables 10 and 11), on BERT-base; what a table compares costs the same."""
    counted, bert = script("facts").counted, known_architecture("bert-base")
    golden = {"prefix:16": 294_912, "parallel:16": 294_912, "mhpa:16": 294_912, "lora:8": 294_912,
              "lora-ffn:8": 737_280, "mam:prefix=16:parallel=16": 589_824, "bitfit": 102_912}  # fmt: skip
    assert {name: counted(name, bert) for name in golden} == golden
    budgets: dict[str, set[int]] = {}
    for row in rows_for(script, "forms", bert).rows:
        kind = row.group + ("small" if "small" in row.name else "")
        scaled = "trained s" in row.name  # one scalar a layer more
        if not scaled and (row.group != "6" or row.name in ("parallel, attention + ffn", "prefix + LoRA, ffn", "MAM")):
            budgets.setdefault(kind, set()).add(counted(row.learner, bert))
    assert len(budgets["3"]) == len(budgets["4small"]) == 1
    assert max(budgets["5"]) / min(budgets["5"]) < 1.01  # a whole rank of LoRA
    assert max(budgets["6"]) / min(budgets["6"]) < 1.01
    sizes: dict[str, set[int]] = {}
    for row in rows_for(script, "budgets", bert).rows:
        if row.group in ("attention", "ffn"):
            sizes.setdefault(row.name.split(", ")[-1], set()).add(counted(row.learner, bert))
    assert all(max(same) / min(same) < 1.05 for same in sizes.values()), sizes


def an_arm(
    name: str, scores: list[list[float]], tasks: tuple[str, ...] = tuple("abcdef"), sharing: str = "isolated"
) -> Arm:
    """A learner with these scores after the last arrival, [S, T]; NaN: none."""
    order = tasks[: len(scores[0])]
    members = tuple(Member(f"seed{seed}-paper", seed, "paper") for seed in range(len(scores)))
    results = []
    for row in scores:
        known = [None if math.isnan(value) else value for value in row]
        learned = [
            [value if column <= line else None for column, value in enumerate(known)] for line in range(len(row))
        ]
        document = {
            "spec": name,
            "sharing": sharing,
            "R": [[None] * len(row), *learned],
            "retention": {"verified": True},
        }
        results.append(read_learner(name, document, order, "here"))
    return Arm(name, members, tuple(results), {})


def test_claims(script: Any) -> None:
    """Differences over tasks 0.1, 0.2, 0.3: 20 ±24.8 points (t of two degrees of freedom is 4.303)."""
    claims = script("claims")
    arms = {"a": an_arm("a", [[0.5, 0.5, 0.5]]), "b": an_arm("b", [[0.4, 0.3, 0.2]])}

    def judge(*given: Any) -> list[Any]:
        found: list[Any] = claims.judge(given, arms, ("a", "b", "c"), 1)
        return found

    def claim(first: str, second: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
        return claims.Claim("I", "P", "it is so", first, second, low, high, **more)

    (found,) = judge(claim("a", "b", 0.0))
    assert (found.verdict, found.found) == ("open", "a minus b is +20.0 ±24.8 points")
    assert [judge(each)[0].verdict for each in (claim("a", "b", -10.0), claim("a", "b", None, -5.0))] == [
        "holds",
        "fails",
    ]
    assert judge(claim("a", "a", 0.0))[0].verdict == "open"  # equal learners: neither is above
    assert judge(claim("a", "a", -1.0, 1.0))[0].verdict == "open"  # no spread at all says nothing
    assert judge(claim("a", "missing")) == []
    # three together: t at 1 - 0.05 / 6 is 7.649, and 20 ±44.2 no longer lies above -10
    assert [each.verdict for each in judge(*[claim("a", "b", -10.0)] * 3)] == ["open"] * 3
    assert [each.verdict for each in judge(*[claim("a", "b", -25.0)] * 3)] == ["holds"] * 3


def test_claims_about_tasks_and_spread(script: Any) -> None:
    """A claim about tasks is judged on each of them, over seeds; spread is a standard deviation over seeds."""
    claims = script("claims")
    arms = {"a": an_arm("a", [[0.5, 0.2], [0.7, 0.2]]), "b": an_arm("b", [[0.4, 0.1], [0.4, 0.1]])}
    per_task = claims.Claim("I", "P", "c", "a", "b", 0.0, None, tasks=("b", "a", "z"))
    found = claims.judge([per_task], arms, ("a", "b"), 1)
    assert [each.task for each in found] == ["b", "a"]
    assert [each.found for each in found] == ["a minus b is +10.0 points", "a minus b is +20.0 ±127.1 points"]
    assert [each.verdict for each in found] == ["open", "open"]
    spread = claims.Claim("I", "P", "c", "a", "b", 0.0, None, measure="deviation")
    (found,) = claims.judge([spread], arms, ("a", "b"), 1)
    assert found.value.mean == pytest.approx(100 * 0.2 / math.sqrt(2) / 2)
    medians = claims.Claim("I", "P", "c", "a", "b", 0.0, None, measure="median")
    (found,) = claims.judge([medians], arms, ("a", "b"), 1)
    assert found.found.endswith("medians 40.0 and 25.0 of 2")
    assert (found.value.half, found.verdict) == (None, "open")  # two seeds are no median of five


def test_claims_about_other_test_rows(script: Any) -> None:
    """One seed has no spread, its test rows have: 8 of 10 right against 3 of 10 is +50 points with t of 9 degrees."""
    claims = script("claims")
    arms = {"a": an_arm("a", [[0.8, 0.5]]), "b": an_arm("b", [[0.3, 0.5]])}
    right = {"a": np.array([[1.0] * 8 + [0.0] * 2]), "b": np.array([[1.0] * 3 + [0.0] * 7])}
    claim = claims.Claim("I", "P", "c", "a", "b", 0.0, None, tasks=("a",), rows=True)
    (found,) = claims.judge([claim], arms, ("a", "b"), 1, 0, lambda arm, task: right[arm.name])
    half = stats.t.ppf(0.975, 9) * 100 * np.std(right["a"] - right["b"], ddof=1) / math.sqrt(10)
    assert (found.value.mean, found.value.half) == (pytest.approx(50), pytest.approx(half))
    assert found.verdict == "holds"
    for rows in (None, lambda arm, task: None):  # nothing keeps what it answered: over seeds, of which there is one
        (found,) = claims.judge([claim], arms, ("a", "b"), 1, 0, rows)
        assert (found.value.half, found.verdict) == (None, "open")


@pytest.mark.parametrize("metric", ["accuracy", "matthews", "f1", "spearman"])
def test_values_of_rows_have_the_score_as_mean(script: Any, metric: str) -> None:
    """And the jackknife's variance is near that of the bootstrap, which the product's standard error uses."""
    draw = np.random.default_rng(0)
    task = Task("t", "T", "regression" if metric == "spearman" else "single", metric, ("no", "yes"), ("yes",))
    target = draw.normal(size=400) if metric == "spearman" else draw.integers(0, 2, 400)
    logits = (target + draw.normal(size=400))[:, None] if metric == "spearman" else (
        np.eye(2)[target] + draw.normal(size=(400, 2)))  # fmt: skip
    values = script("row_values").row_values(task, target, logits)
    assert values.mean() == pytest.approx(score(metric, target, logits, task.positive_class))
    error = standard_error(metric, target, logits, task.positive_class)
    assert values.std(ddof=1) / 20 == pytest.approx(error, rel=0.12)


def test_convergence(script: Any) -> None:
    """Of 8 epochs the last quarter is two: 0.6 after 0.5 gains 10 points; a best before them gains nothing."""
    module = script("convergence")
    rising = FitHistory((0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6), (), 7)
    flat = FitHistory((0.2, 0.6, 0.5, 0.5, 0.5, 0.5), (), 1)
    assert module.late_gain(rising) == pytest.approx(0.1)
    assert module.late_gain(flat) == 0
    curve = module.curve_of([rising, flat])
    assert (curve.best, curve.epochs, curve.open, curve.fits) == (5, 7, 1, 2)
    assert curve.scores[:2] == (pytest.approx(0.2), pytest.approx(0.45))
    assert curve.scores[6:] == (0.5, 0.6)  # one fit alone
    assert module.cell(curve) == "5/7 +5.0 !1"


def test_claims_about_medians_judge_medians(script: Any) -> None:
    """One bad seed of five moves the mean and not the median."""
    claims = script("claims")
    arms = {
        "a": an_arm("a", [[0.50], [0.51], [0.52], [0.53], [0.11]]),
        "b": an_arm("b", [[0.48], [0.49], [0.50], [0.47], [0.49]]),
    }
    claim = claims.Claim("I", "P", "c", "a", "b", 0.0, None, measure="median")
    (found,) = claims.judge([claim], arms, ("a",), 1)
    assert found.value.mean == pytest.approx(51 - 49)
    variances = [np.var(scores, ddof=1) for scores in ([50, 51, 52, 53, 11], [48, 49, 50, 47, 49])]
    parts = [math.pi / 2 * each / 5 for each in variances]
    free = sum(parts) ** 2 / sum(part**2 / 4 for part in parts)
    assert found.value.half == pytest.approx(stats.t.ppf(0.975, free) * math.sqrt(sum(parts)))
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        seeds = rng.normal(0.5, 0.02, (5, 1))  # the same seeds move both learners
        pair = {name: an_arm(name, (seeds + rng.normal(0, 0.02, (5, 1))).tolist()) for name in "ab"}
        number = claims.estimate(claim, pair["a"], pair["b"], ("a",), 1)
        covered += abs(number.difference) <= number.half
    assert covered >= 0.94 * 300


def test_a_claim_about_a_sequential_learner_is_over_orders_too(script: Any) -> None:
    """One seed, one task, orders with 60, 50 and 40: Student's t over them, not the certainty of one number."""
    claims = script("claims")
    arm = an_arm("a", [[0.6], [0.5], [0.4]], sharing="sequential")
    members = tuple(Member(f"seed0-{n}", 0, f"seed:{n}") for n in range(3))
    number = claims.estimate(claims.Claim("I", "P", "c", "a", low=0.0), replace(arm, members=members), None, ("a",), 1)
    known = interval([60, 50, 40])
    assert (number.difference, number.half) == (pytest.approx(50), pytest.approx(known.half))
    assert number.orders == 3


def test_claims_about_chosen_sizes(script: Any) -> None:
    """256 on the first task and 8 on the second, for three seeds; two seeds that agree are too few."""
    claims = script("claims")
    claim = claims.Claim("I", "P", "c", "a", low=0.0, measure="size", tasks=("a",), against="b")

    def verdict(sizes: list[tuple[int, int]]) -> tuple[float, str]:
        arm = an_arm("a", [[0.5, 0.5]] * len(sizes))
        results = [
            replace(each, selection={
                task: Choice(f"adapter:{size}:epochs=3", {}, {}) for task, size in zip("ab", pair, strict=True)
            })
            for each, pair in zip(arm.results, sizes, strict=True)
        ]  # fmt: skip
        (found,) = claims.judge([claim], {"a": replace(arm, results=tuple(results))}, ("a", "b"), 1)
        return found.value.mean, found.verdict

    assert verdict([(256, 8)] * 3) == (248, "holds")
    assert verdict([(8, 256)] * 3) == (-248, "fails")
    assert verdict([(256, 8)] * 2) == (248, "open")
    assert verdict([(256, 8), (8, 64), (64, 64)])[1] == "open"
    assert claims.judge([claim], {"a": an_arm("a", [[0.5]])}, ("a",), 1) == []


def test_a_claim_about_tasks_of_which_some_have_no_number(script: Any) -> None:
    """The others stay in their groups: mnli_m and mnli_mm are one draw."""
    scores = [[0.5, 0.7, 0.4, math.nan], [0.6, 0.7, 0.5, math.nan]]
    tasks = ("mnli_m", "mnli_mm", "rte", "sst2")
    claims = script("claims")
    claim = claims.Claim("I", "P", "c", "a", low=0.0)
    arm = an_arm("a", scores, tasks)
    number = claims.estimate(claim, arm, None, tasks, 1)
    assert (number.seeds, number.groups) == (2, 2)
    assert number.difference == pytest.approx(100 * 3.4 / 6)


def test_what_a_study_file_may_say(script: Any, tmp_path: Path) -> None:
    study_file = script("study_file")
    numbers = {"width": 128.0, "layers": 3.0}
    assert study_file.filled("topk:<1..layers>", numbers) == ["topk:1", "topk:2", "topk:3"]
    assert study_file.filled("a:<x,width>:<1,2>", numbers) == ["a:x:1", "a:x:2", "a:128:1", "a:128:2"]
    assert study_file.value_of("3 * width / (width + 128)", numbers) == 1.5
    for wrong in ("width ** 2", "depth + 1", "open('x')", "1 +"):
        with pytest.raises(InputError, match="not a formula"):
            study_file.value_of(wrong, numbers)
    path = tmp_path / "mine.toml"
    path.write_text('titel = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match="unknown key"):
        study_file.read_study(path)
    path.write_text('columns = []\n[claims.x]\npaper = "P"\nclaim = "c"\ntest = "a over b"\n', encoding="utf-8")
    with pytest.raises(InputError, match="claim x: cannot be read"):
        study_file.read_study(path)
    claim_of = script("claims").claim_of
    entry = {"paper": "P", "claim": "c"}
    for test, first, second, low, high in (
        ("lora, ffn minus a:b=1e-2 within -1..0.5", "lora, ffn", "a:b=1e-2", -1.0, 0.5),
        ("head above 10", "head", "", 10.0, None),
        ("a minus b below 0", "a", "b", None, 0.0),
    ):
        found = claim_of("x", {**entry, "test": test})
        assert (found.first, found.second, found.low, found.high) == (first, second, low, high)
    with pytest.raises(InputError, match="unknown measure"):
        claim_of("x", {**entry, "test": "a above 1", "measure": "scores"})
    with pytest.raises(InputError, match="no such study"):
        study_file.read_study("leage")


@pytest.mark.parametrize("name", STUDIES)
def test_the_files_are_sound(name: str, script: Any) -> None:
    """Each learner of a study is one, on BERT-base; each claim is about rows of the study; ids belong to one study."""
    study = rows_for(script, name, known_architecture("bert-base"))
    names = {row.name for row in study.rows}
    for row in study.rows:
        parse_learner(row.learner)
    for claim in study.claims:
        assert {claim.first, claim.second} - {""} <= names, claim
        assert claim.low is not None or claim.high is not None, claim
    assert not study.reference or study.reference in names
    assert {*study.run} <= {*RunConfig.model_fields}
    assert {*study.columns} <= {*script("facts").COLUMNS, "counted", "learner", "tasks"}
    for other in STUDIES:
        if other != name:
            ids = {claim.id for claim in script("study_file").read_study(other).claims}
            assert not ids & {claim.id for claim in study.claims}


def test_list_of_studies_and_bad_input(tiny_backbone: Path, tmp_path: Path) -> None:
    listed = call("run_study")
    assert (listed.code, listed.err) == (0, "")
    assert all(name in listed.out for name in STUDIES)
    given = ("--backbone", str(tiny_backbone), "--out", str(tmp_path / "out"))
    answer = call("run_study", "league", "--suite", "colla", *given)
    assert (answer.code, answer.err) == (2, "error: suite: unknown task 'colla'; did you mean cola or copa?\n")
    assert "What the papers found" in answer.out
    answer = call("run_study", "leage", *given)
    assert answer.code == 2
    assert "no such study" in answer.err


@pytest.mark.parametrize("name", ["removal", "token_weights"])
def test_bad_input_and_help(name: str, tiny_backbone: Path, tmp_path: Path) -> None:
    answer = call(name, "--suite", "colla", "--backbone", str(tiny_backbone), "--out", str(tmp_path / "out"))
    assert answer.code == 2
    assert answer.err == "error: suite: unknown task 'colla'; did you mean cola or copa?\n"
    shown = call(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"python scripts/experiments/{name}.py" in shown.out
    assert "What the paper" in shown.out
