"""The studies of the grid in scripts/experiments at a tiny size: their command lines, and what they compute."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from learners.backbones.library import library_model
from learners.backbones.published import known_architecture
from learners.delta.delta import Delta
from learners.forward.batches import collate, evaluation_plan
from learners.specification.family import families, parse_learner
from learners.training.predict import predict
from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read
from tests.runs import Answer

STUDIES = ("trade_off", "removal", "initial_scale", "adapterbias_ablation", "token_weights", "forms", "league")
ONE = (*TINY, "--seeds", "1", "--workers", "1")


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
    more = ("--epochs", "2", "--out", str(out))  # diff pruning wants an epoch after pruning
    return out, call("league", "--suite", "sst2,rte", "--backbone", str(tiny_backbone), *ONE, *more)


def test_league(league: tuple[Path, Answer]) -> None:
    out, answer = league
    assert (answer.code, answer.err) == (0, "")
    found, results = read(out / "league.json"), read(out / "seed0" / "results.json")
    assert "feature is left out: learner feature: more layers to read than the backbone has" in answer.out
    assert {name.split(":")[0] for name in found["learners"]} == {*families()} - {"feature"}
    means = [told["score"]["mean"] for told in found["learners"].values()]
    assert means == sorted(means, reverse=True)
    for name, told in found["learners"].items():
        cost = results["learners"][name]["cost"]
        kept, heads, size = (
            sum(cost[f"{what}_per_task"].values()) for what in ("kept_parameters", "head_parameters", "bytes")
        )
        assert (told["kept"], told["bytes"]) == (kept / 2, (size - 4 * heads) / 2)
        assert told["score"]["mean"] == pytest.approx(sum(results["learners"][name]["R"][-1]) / 2)
        assert name in answer.out
    assert found["learners"]["diffpruning"]["kept"] < found["learners"]["diffpruning"]["trained"]
    assert {each["verdict"] for each in found["findings"]} <= {"holds", "fails", "open"}
    assert "MAM is within a point of full fine-tuning. Here mam minus full:isolated" in answer.out


def test_removal(league: tuple[Path, Answer], script: Any, tmp_path: Path) -> None:
    run = league[0] / "seed0"
    answer = call("removal", "--run", str(run), "--learner", "adapter", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found, results = read(tmp_path / "removal.json"), read(run / "results.json")
    last = dict(zip(results["order"], results["learners"]["adapter"]["R"][-1], strict=True))
    assert {task: each[0]["whole"] for task, each in found["tasks"].items()} == last
    removal = script("removal")
    finished = removal.opened(run, "adapter")
    whole, none = finished.delta("sst2"), range(2)
    data = finished.bench.data("sst2")
    bare = {name: tensor for name, tensor in whole.tensors.items() if not name.startswith("added.")}
    without = predict(
        finished.backbone,
        replace(finished.learner, modifications=()),
        Delta(bare),
        data.test,
        evaluation_plan(data.test),
    )
    score, logits = finished.score("sst2", removal.without(finished, whole, none))
    assert logits.tobytes() == without.tobytes()
    assert found["tasks"]["sst2"][0]["scores"][0][1] == score
    assert found["tasks"]["sst2"][0]["scores"][1][0] is None  # no span
    one = [finished.score("sst2", removal.without(finished, whole, range(k, k + 1)))[1].tobytes() for k in range(2)]
    assert len({*one, logits.tobytes(), finished.score("sst2", whole)[1].tobytes()}) == 4
    refused = call("removal", "--run", str(run), "--learner", "ia3", "--out", str(tmp_path / "none"))
    assert refused.code == 2
    assert "ia3: setting it to zero does not remove it" in refused.err


def test_parts_lost(script: Any) -> None:
    seeds = [{"whole": whole, "scores": np.array([[0.5, 0.2], [np.nan, 0.4]])} for whole in (0.6, 1.0)]
    np.testing.assert_allclose(script("removal").drops(seeds), 1 - np.array([[0.5, 0.2], [np.nan, 0.4]]) / 0.8)
    assert script("removal").drops([{**seeds[0], "whole": 0.05}]) is None


def test_token_weights(league: tuple[Path, Answer], script: Any, tmp_path: Path) -> None:
    run = league[0] / "seed0"
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
    answer = call("trade_off", *given, *ONE, "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found, results = read(tmp_path / "trade_off.json"), read(tmp_path / "seed0" / "results.json")
    assert list(found["learners"]) == ["full:isolated", "adapter:2", "adapter:4", "topk:1"]
    full = np.array(results["learners"]["full:isolated"]["R"][-1])
    for name, told in found["learners"].items():
        low, middle, high = sorted(np.array(results["learners"][name]["R"][-1]) - full)
        # of three values the 20th percentile lies 0.4 of the way from the first to the second
        expected = [low + 0.4 * (middle - low), middle, middle + 0.6 * (high - middle)]
        assert [*told["percentiles"].values()] == pytest.approx(expected)
        assert told["share"] == told["told"]["trained"] / results["backbone"]["parameters"]


def test_the_grid_of_the_trade_off(script: Any) -> None:
    grid = script("trade_off").grid(12)
    assert [name for name in grid if name.startswith("adapter:")] == [
        f"adapter:{m}" for m in (2, 4, 8, 16, 32, 64, 128, 256)
    ]
    assert sum(name.startswith("topk:") for name in grid) == 12


def test_initial_scale(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2", "--backbone", str(tiny_backbone), "--size", "2", *ONE, "--out", str(tmp_path))
    answer = call("initial_scale", *given)
    assert (answer.code, answer.err) == (0, "")
    found, results = read(tmp_path / "initial_scale.json"), read(tmp_path / "seed0" / "results.json")
    assert found["deviations"] == {f"adapter:2:std=1e{e}": 10.0**e for e in range(-7, 1)}
    learners = [parse_learner(learner["canonical"]) for learner in results["learners"].values()]
    assert [learner.modifications[0].form.std for learner in learners] == [10.0**e for e in range(-7, 1)]
    assert len(found["findings"]) == 3


def test_ablation_of_adapterbias(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2", "--backbone", str(tiny_backbone), "--share", "alpha", *ONE, "--out", str(tmp_path))
    answer = call("adapterbias_ablation", *given)
    assert (answer.code, answer.err) == (0, "")
    learners = read(tmp_path / "adapterbias_ablation.json")["learners"]
    points = [(each["share"], each["gates"], each["penalty"]) for each in learners.values()]
    penalties = (1e-6, 1e-5, 1e-4, 1e-3)
    gated = [("alpha", gates, penalty) for gates in ("diff-pruning", "louizos") for penalty in penalties]
    assert points == [("alpha", "off", 0.0), *gated]
    # 3 L d + d_ff + 1 with d = 16, L = 2, d_ff = 32
    assert {each["told"]["trained"] for each in learners.values()} == {3 * 2 * 16 + 32 + 1}
    assert all(each["told"]["kept"] <= each["told"]["trained"] for each in learners.values())


def test_forms(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2", "--backbone", str(tiny_backbone), *ONE, "--out", str(tmp_path))
    answer = call("forms", *given)
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "forms.json")
    assert {row["table"] for row in found["rows"]} == {"3", "4", "5", "6"}
    assert len(found["findings"]) == 9
    for row in found["rows"]:
        assert row["counted"] <= row["told"]["trained"]
        assert row["words"] in answer.out


def test_counts_and_budgets(script: Any) -> None:
    """Counts as He et al. count (Tables 10 and 11), on BERT-base; what a table compares costs the same."""
    forms, bert = script("forms"), known_architecture("bert-base")
    golden = {"prefix:16": 294_912, "parallel:16": 294_912, "mhpa:16": 294_912, "lora:8": 294_912,
              "lora-ffn:8": 737_280, "mam:prefix=16:parallel=16": 589_824, "bitfit": 102_912}  # fmt: skip
    assert {name: forms.counted(name, bert) for name in golden} == golden
    budgets: dict[str, set[int]] = {}
    for row in forms.comparisons(bert):
        kind = row.table + ("small" if "small" in row.words else "")
        if row.table != "6" or row.words in ("parallel, attention + ffn", "prefix + LoRA, ffn", "MAM"):
            budgets.setdefault(kind, set()).add(forms.counted(row.learner, bert))
    assert len(budgets["3"]) == len(budgets["4small"]) == 1
    assert max(budgets["5"]) / min(budgets["5"]) < 1.01  # a whole rank of LoRA
    assert max(budgets["6"]) / min(budgets["6"]) < 1.01


def test_claims(script: Any) -> None:
    """Differences over tasks 0.1, 0.2, 0.3: 20 ±24.8 points (t of two degrees of freedom is 4.303)."""
    findings = script("findings")
    scores = {"a": [{"x": 0.5, "y": 0.5, "z": 0.5}], "b": [{"x": 0.4, "y": 0.3, "z": 0.2}]}
    claims = [findings.Claim("P", "a", "b", 0.0), findings.Claim("P", "a", "b", -0.1, None),
              findings.Claim("P", "a", "a", 0.0), findings.Claim("P", "a", "missing")]  # fmt: skip
    found = findings.judge(claims, scores)
    assert [each.verdict for each in found] == ["open", "holds", "open"]  # equal learners: neither is above
    assert found[0].found == "a minus b is +20.0 ±24.8 points"


@pytest.mark.parametrize("name", STUDIES)
def test_bad_input_and_help(name: str, tiny_backbone: Path, tmp_path: Path) -> None:
    answer = call(name, "--suite", "colla", "--backbone", str(tiny_backbone), "--out", str(tmp_path / "out"))
    assert answer.code == 2
    assert answer.err == "error: suite: unknown task 'colla'; did you mean cola?\n"
    shown = call(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"python scripts/experiments/{name}.py" in shown.out
    assert "What the paper" in shown.out
