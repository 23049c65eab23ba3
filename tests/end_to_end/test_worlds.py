"""How hard a twin is, and whether two worlds order learners alike: difficulty.py and agreement.py."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """Modules of scripts/experiments by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module


def test_where_the_curve_meets_the_paper(script: Any) -> None:
    meets = script("difficulty").meets
    assert meets({0: 0.9, 0.5: 0.7, 1: 0.6}, 0.8) == pytest.approx(0.25)
    assert meets({0: 0.9, 0.5: 0.7, 1: 0.6}, 0.65) == pytest.approx(0.75)
    assert meets({0: 0.9, 1: 0.6}, 0.5) == "easier than reality at 1"
    assert meets({0: 0.9, 1: 0.6}, 0.95) == "harder than reality at 0"
    # 0.7 and 0.8 rise by chance: both become 0.75, which is met in the middle
    assert meets({0: 0.9, 0.25: 0.7, 0.75: 0.8, 1: 0.6}, 0.75) == pytest.approx(0.5)


def test_difficulty(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2,rte", "--backbone", str(tiny_backbone), "--difficulties", "1,0", "--train-examples", "8",
             "--validation-examples", "8", "--epochs", "1", "--max-length", "24", "--out", str(tmp_path))  # fmt: skip
    answer = call("difficulty", *given, "--workers", "1")
    assert (answer.code, answer.err) == (0, "")
    document = read(tmp_path / "difficulty.json")
    runs = sorted(tmp_path.glob("difficulty-*/results.json"))
    assert len(runs) == 2
    for place, path in zip(("0.0", "1.0"), runs, strict=True):
        results = read(path)
        assert results["source"].startswith(f"simulated:difficulty={place}")
        for row in document["twins"]:
            assert row["scores"][place] == results["learners"]["full:isolated"]["fits"][row["task"]]["validation"]
    assert {row["task"]: row["paper"] for row in document["twins"]} == pytest.approx({"sst2": 0.949, "rte": 0.701})
    refused = call("difficulty", *given[:4], "--difficulties", "half", "--out", str(tmp_path))
    assert refused.code == 2
    assert refused.err.startswith("error: --difficulties: not numbers")


def test_correlations_and_their_intervals(script: Any) -> None:
    """Five learners on 12 tasks of one world and 8 of another, with the same means and noise of its own each."""
    module, draw = script("agreement"), np.random.default_rng(3)
    means = np.linspace(0.5, 0.7, 5)[:, None]
    first, second = (means + 0.02 * draw.normal(size=(5, tasks)) for tasks in (12, 8))
    groups = [[[place] for place in range(tasks)] for tasks in (12, 8)]
    found = module.order_agreement(first, second, groups)
    assert found["mean scores"].value == stats.spearmanr(first.mean(axis=1), second.mean(axis=1)).statistic
    other = draw.normal(size=(5, 8))
    weak = module.order_agreement(first, other, groups)["mean scores"]
    assert weak.value == pytest.approx(stats.spearmanr(first.mean(axis=1), other.mean(axis=1)).statistic)
    assert -1 <= weak.low < weak.value < weak.high <= 1

    noisy = first + 0.05 * draw.normal(size=first.shape)
    gaps = module.difference_agreement(first, noisy, groups[0])
    assert gaps["Pearson"].value == pytest.approx(stats.pearsonr(first.ravel(), noisy.ravel()).statistic)
    assert gaps["Spearman"].value == pytest.approx(stats.spearmanr(first.ravel(), noisy.ravel()).statistic)
    assert gaps["Pearson"].low < gaps["Pearson"].value < gaps["Pearson"].high
    few = module.resampled(lambda places: 0.5, [groups[0][:3]])
    assert (few.value, few.low) == (0.5, None)
    assert few.text() == "0.50"
    assert np.isnan(module.linear_correlation(np.ones(3), np.arange(3.0)))


def test_agreement_of_two_studies(tiny_backbone: Path, tiny_tasks: Path, tmp_path: Path) -> None:
    given = ("--source", f"folder:{tiny_tasks}", "--backbone", str(tiny_backbone), "--learners",
             "full:isolated,adapter:2,layernorm,majority", "--workers", "1", *TINY)  # fmt: skip
    for name, tasks, seeds in (("a", "sms_spam,colours,rte,stsb", "0"), ("b", "rte,sms_spam", "0,1")):
        answer = call("run_study", "fresh", "--suite", tasks, "--seed", seeds, *given, "--out", str(tmp_path / name))
        assert (answer.code, answer.err) == (0, "")
    answer = call("agreement", *(str(tmp_path / name) for name in "ab"), "--out", str(tmp_path / "c"))
    assert (answer.code, answer.err) == (0, "")
    document = read(tmp_path / "c" / "agreement.json")
    assert document["learners"] == ["full:isolated", "adapter:2", "layernorm"]
    assert document["tasks"] == ["sms_spam", "rte"]
    last = [
        read(tmp_path / "b" / f"seed{seed}-paper" / "results.json")["learners"][name]["R"][-1]
        for seed in range(2)
        for name in ("adapter:2", "full:isolated")
    ]
    gap = (last[0][0] + last[2][0] - last[1][0] - last[3][0]) / 2  # rte comes first in b
    assert document["gaps"][1][0][1] == pytest.approx(gap)
    refused = call("agreement", str(tmp_path / "a"), str(tmp_path / "none"))
    assert refused.code == 2
