"""Ceilings: closed forms worked out by hand, and what the best rule reaches on labels drawn with that noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.metrics import score
from tasks.sources.simulated.ceiling import ceiling, clarity_for, label_distribution, long_tail
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.twin import Twin, examples
from tasks.task import Kind, Task

SHARES = (0.3, 0.7)


@pytest.mark.parametrize(
    ("metric", "shares", "clarity", "expected"),
    [
        # accuracy, following the meaning: clarity + (1 - clarity) * sum of squared shares = 0.5 + 0.5 * 0.58
        ("accuracy", SHARES, 0.5, 79.0),
        # at 0.1 the rarer class is never the best guess (0.1 + 0.9 * 0.3 < 0.9 * 0.7): the majority share remains
        ("accuracy", SHARES, 0.1, 70.0),
        ("accuracy", (0.2, 0.3, 0.5), 0.4, 100 * (0.4 + 0.6 * 0.38)),
        # predicted and given labels have equal margins, so the Matthews correlation is the clarity
        ("matthews", SHARES, 0.605, 60.5),
        # margins are equal, so F1 is the probability of the positive label given the positive class: c + (1 - c) * s
        ("f1", SHARES, 0.6, 88.0),
        # and where that is less, calling all of them positive is better: 2 s / (1 + s)
        ("f1", (0.8, 0.2), 0.1, 100 * 0.4 / 1.2),
        ("spearman", (), 0.876, 87.6),
        ("accuracy", SHARES, 1.0, 100.0),
        ("f1", SHARES, 1.0, 100.0),
        ("matthews", SHARES, 0.0, 0.0),
    ],
)
def test_closed_forms(metric: str, shares: tuple[float, ...], clarity: float, expected: float) -> None:
    assert ceiling(metric, shares, clarity) == pytest.approx(expected)


def shares_of(weights: list[int]) -> tuple[float, ...]:
    return tuple(weight / sum(weights) for weight in weights)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=8).map(shares_of), st.floats(0, 1))
def test_noise_keeps_the_class_shares(shares: tuple[float, ...], clarity: float) -> None:
    joint = np.array(label_distribution(shares, clarity))
    assert joint.sum(axis=0) == pytest.approx(shares)
    assert joint.sum(axis=1) == pytest.approx(shares)


@given(st.sampled_from(["accuracy", "f1", "matthews"]), st.lists(st.integers(1, 9), min_size=2, max_size=2), st.data())
def test_the_clarity_of_a_ceiling_gives_that_ceiling(metric: str, weights: list[int], data: st.DataObject) -> None:
    shares = shares_of(weights)
    least = ceiling(metric, shares, 0)
    best = data.draw(st.floats(least, 100))
    clarity = clarity_for(best, metric, shares)
    assert ceiling(metric, shares, clarity) == pytest.approx(best, abs=0.02)
    assert ceiling(metric, shares, min(1, clarity + 0.1)) >= ceiling(metric, shares, clarity) - 1e-9


@given(st.integers(2, 160), st.floats(0.05, 0.9))
def test_a_long_tail_falls_and_sums_to_one(classes: int, majority: float) -> None:
    shares = long_tail(classes, majority)
    assert len(shares) == classes
    assert sum(shares) == pytest.approx(1)
    assert list(shares[1:]) == sorted(shares[1:], reverse=True)
    assert max(shares) == pytest.approx(shares[0])
    assert shares[0] == pytest.approx(max(majority, 1 / classes), abs=0.25)


@dataclass(frozen=True)
class Dice:
    """The class is the meaning, and the meaning a number that no other row has."""

    shares: tuple[float, ...]
    difficulty: float = 0.5
    hard_by: str = "nothing: the number tells the class"

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"label{index}" for index in range(len(self.shares)))

    @property
    def space(self) -> str:
        return "dice"

    def draw(self, chance: Chance) -> tuple[float, int]:
        drawn = chance.weighted(range(len(self.shares)), self.shares) if self.shares else 5 * chance.unit()
        return drawn, chance.below(10**12)

    def label(self, meaning: tuple[float, int]) -> float:
        return meaning[0]

    def write(self, meaning: tuple[float, int], chance: Chance, split: str) -> tuple[str, None]:
        return f"{meaning[1]} says {meaning[0]}", None


def points(metric: str, truth: np.ndarray, prediction: np.ndarray, classes: int) -> float:
    """The task metric of predictions, in percent."""
    logits = prediction[:, None] if metric == "spearman" else np.eye(classes)[prediction.astype(int)]
    return 100 * score(metric, truth, logits, positive=1 if metric == "f1" else None)


@pytest.mark.parametrize(
    ("metric", "shares", "best"),
    [
        ("accuracy", (0.2, 0.3, 0.5), 77.0),
        ("accuracy", (0.82, 0.18), 82.5),
        ("matthews", (0.3, 0.7), 60.5),
        ("f1", (0.67, 0.33), 72.1),
        ("spearman", (), 87.6),
    ],
)
def test_the_best_rule_reaches_the_ceiling_and_no_other_passes_it(
    metric: str, shares: tuple[float, ...], best: float
) -> None:
    kind: Kind = "single" if shares else "regression"
    twin = Twin(Task("dice", "Dice", kind, metric), Dice(shares), best, 100, 100, noise=None)
    assert twin.ceiling == pytest.approx(best, abs=0.02)
    rows = list(examples(twin, 0, "test", 2000))
    truth, clean = np.array([row.target for row in rows]), np.array([row.clean for row in rows])
    assert points(metric, truth, clean, len(shares)) == pytest.approx(best, abs=3)
    if shares:
        assert np.bincount(truth.astype(int)) / len(rows) == pytest.approx(shares, abs=0.025)
        joint = label_distribution(shares, twin.clarity)
        for rule in ([0] * len(shares), [len(shares) - 1] * len(shares)):
            assert points(metric, truth, np.array(rule)[clean.astype(int)], len(shares)) < best + 3
        found = np.histogram2d(clean, truth, bins=[len(shares)] * 2)[0] / len(rows)
        assert found == pytest.approx(np.array(joint), abs=0.025)
