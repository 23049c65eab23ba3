"""The study of learning rates reads validation scores alone, and its rule keeps a default within the noise."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from learners.specification.family import families, parse_learner
from tests.end_to_end.test_experiments import SCRIPTS, call, read

AT = {"a:low": 0.1, "a": 0.3, "a:high": 0.9}


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("learning_rates")


def test_scores_are_those_of_validation(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--learners", "head,adapter:2", "--suite", "sst2,cola", "--backbone", str(tiny_backbone), "--workers", "1")
    more = ("--steps=-1,0", "--budgets", "8x2x4x2", "--validation-examples", "12", "--out", str(tmp_path))
    answer = call("learning_rates", *given, *more)
    assert (answer.code, answer.err) == (0, "")
    document = read(tmp_path / "learning_rates.json")
    runs = [read(tmp_path / f"8x2-seed{seed}" / "results.json") for seed in range(2)]
    assert [results["source"] for results in runs] == ["simulated:seed=9001", "simulated:seed=9002"]
    assert list(document["fits"]["head"]) == ["head:learning_rate=0.009", "head:learning_rate=0.03"]
    assert document["defaults"]["head"] == "head:learning_rate=0.03"
    tested = 0
    for name, rates in document["fits"].items():
        for rate, budgets in rates.items():
            assert sorted(budgets["8x2"]) == ["cola", "sst2"]
            for task, scores in budgets["8x2"].items():
                (learners,) = ([run["learners"][each] for run in runs] for each in runs[0]["learners"] if name in each)
                choices = [learner["selection"][task] for learner in learners]
                assert scores == [choice["candidates"][rate] for choice in choices]
                fits = [learner["fits"][task] for learner in learners]
                for choice, fit in zip(choices, fits, strict=True):  # the kept fit has the best of them
                    assert max(choice["candidates"].values()) == fit["validation"][fit["best"]]
                    tested += 1
    assert tested == 2 * 2 * 2 * 2
    told = document["summary"]["adapter:2"]["rates"]
    expected = [
        score
        for task in document["fits"]["adapter:2"]["adapter:2:learning_rate=0.003"]["8x2"].values()
        for score in task
    ]
    assert told[1]["mean"] == pytest.approx(sum(expected) / 4)
    again = call("learning_rates", "--read", str(tmp_path / "learning_rates.json"), "--out", str(tmp_path))
    assert (again.code, again.err) == (0, "")
    assert read(tmp_path / "learning_rates.json")["summary"] == document["summary"]
    assert call("learning_rates", "--budgets", "8x2", "--out", str(tmp_path / "none")).code == 2


@pytest.mark.parametrize(
    ("gains", "rate", "why"),
    [
        ((0.1, 0.12, 0.11), 0.9, "better (edge of the grid)"),
        ((0.3, -0.1, 0.1), 0.3, "within noise of 0.9"),
        ((-0.1, -0.1, -0.2), 0.3, "best"),
        ((None, 0.1, 0.1), 0.3, "best"),  # a fit diverged
    ],
)
def test_the_rule(script: Any, gains: tuple[float | None, ...], rate: float, why: str) -> None:
    tasks = dict(zip("xyz", (0.5, 0.6, 0.7), strict=True))
    fits = {
        "a:low": {"b": {task: [score - 0.2] for task, score in tasks.items()}},
        "a": {"b": {task: [score] for task, score in tasks.items()}},
        "a:high": {
            "b": {
                task: [None if gain is None else score + gain]
                for (task, score), gain in zip(tasks.items(), gains, strict=True)
            }
        },
    }
    found = script.rated(fits, AT, "a")
    assert found[1].mean == pytest.approx(0.6)
    new, reason = script.chosen(found)
    assert (new.rate, reason) == (rate, why)


def test_only_tasks_that_every_rate_has_at_every_budget_count(script: Any) -> None:
    fits = {
        "a": {"b": {"x": [0.5, 0.7], "y": [0.1]}, "c": {"x": [0.8]}},
        "a:high": {"b": {"x": [0.7, 0.7], "y": [0.9]}, "c": {"x": [0.9]}},
    }
    low, high = script.rated(fits, {"a": 0.3, "a:high": 0.9}, "a")
    assert (low.mean, high.mean) == (pytest.approx((0.6 + 0.8) / 2), pytest.approx((0.7 + 0.9) / 2))
    assert low.budgets == {"b": pytest.approx(0.6), "c": pytest.approx(0.8)}
    assert high.to_default.half is None
    assert script.chosen([low, high])[1] == "within noise of 0.9"  # one task says nothing about others


def test_of_files_without_a_common_task_those_rates_count_that_have_all_tasks(script: Any) -> None:
    fits = {
        "a:low": {"b": {"x": [0.9]}},
        "a": {"b": {"x": [0.5], "y": [0.3], "z": [0.4]}},
        "a:high": {"b": {"x": [0.6], "y": [0.4], "z": [0.5]}},
        "a:highest": {"b": {"y": [0.9], "z": [0.9]}},
    }
    low, default, high, highest = found = script.rated(fits, {"a:low": 0.1, **AT, "a:highest": 2.7}, "a")
    assert (low.mean, default.mean, high.mean, highest.mean) == (None, pytest.approx(0.4), pytest.approx(0.5), None)
    assert script.chosen(found) == (high, "better (edge of the grid)")


def test_each_family_with_a_rate_says_where_it_comes_from() -> None:
    for name in families():
        training = parse_learner(name).training
        module = SCRIPTS.parents[1] / "learners" / "methods" / f"{name.replace('-', '_')}.py"
        text = module.read_text(encoding="utf-8")
        if training.learning_rate and name not in ("avalanche", "nobert"):
            assert "scripts/experiments/RATES.md" in text, name
