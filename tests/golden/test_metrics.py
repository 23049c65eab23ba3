"""Continual-learning metrics on three small matrices, worked by hand in every convention.

The sums follow the formulas of Lopez-Paz & Ranzato 2017 (GEM) and Chaudhry et al. 2018 (RWalk) and, where named so, the
public code of GEM (facebookresearch/GradientEpisodicMemory metrics/metrics.py), Mammoth (aimagelab/mammoth
utils/metrics.py) and Avalanche (ContinualAI/avalanche evaluation/metrics/forgetting_bwt.py).
"""

from __future__ import annotations

import numpy as np
import pytest

from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import compute_all, forgetting_per_task, metric, over_arrivals

A = [
    [0.98, 0.50, 0.50, 0.50, 0.50],
    [0.51, 0.97, 0.50, 0.50, 0.50],
    [0.50, 0.52, 0.96, 0.50, 0.50],
    [0.49, 0.50, 0.51, 0.98, 0.50],
    [0.50, 0.50, 0.50, 0.50, 0.99],
]
B = [[0.80, 0.30, 0.25], [0.70, 0.85, 0.40], [0.75, 0.78, 0.90]]
C = [[0.80, 0.30, 0.25], [0.86, 0.85, 0.40], [0.75, 0.88, 0.90]]

GOLDEN = {
    "A": (
        A,
        0.5,
        {
            "average_accuracy": 0.598,
            "learning_accuracy": 0.976,
            "bwt_gem": -0.4725,
            "bwt_gem_code": -0.378,
            "bwt_trace": -0.378,
            "fwt_gem": 0.0,
            "fwt_gem_code": 0.0,
            "forgetting_chaudhry": 0.4725,
            "forgetting_mammoth": 0.4725,
            "forgetting_avalanche": 0.4725,
            "average_incremental_accuracy": 0.7196,
        },
    ),
    "B": (
        B,
        0.25,
        {
            "average_accuracy": 0.81,
            "learning_accuracy": 0.85,
            "bwt_gem": -0.06,
            "bwt_gem_code": -0.04,
            "bwt_trace": -0.04,
            "fwt_gem": 0.10,
            "fwt_gem_code": 0.2 / 3,
            "forgetting_chaudhry": 0.06,
            "forgetting_mammoth": 0.06,
            "forgetting_avalanche": 0.06,
            "average_incremental_accuracy": 0.795,
        },
    ),
    "C": (
        C,
        0.25,
        {
            "average_accuracy": 2.53 / 3,
            "bwt_gem": -0.01,
            "bwt_gem_code": -0.02 / 3,
            "forgetting_chaudhry": 0.04,
            "forgetting_mammoth": 0.055,
            "forgetting_avalanche": 0.01,
        },
    ),
}
CASES = [(vector, name) for vector, (_, _, expected) in GOLDEN.items() for name in expected]


def matrix(vector: str) -> AccuracyMatrix:
    rows, before, _ = GOLDEN[vector]
    tasks = tuple(f"task{j}" for j in range(len(rows)))
    return AccuracyMatrix(tasks=tasks, before=(before,) * len(rows), rows=tuple(tuple(row) for row in rows))


@pytest.mark.parametrize(("vector", "name"), CASES)
def test_golden(vector: str, name: str) -> None:
    assert compute_all(matrix(vector))[name] == pytest.approx(GOLDEN[vector][2][name], abs=1e-12)


@pytest.mark.parametrize(("vector", "name"), [case for case in CASES if not case[1].startswith("fwt")])
def test_the_lower_triangle_is_enough_for_all_but_forward_transfer(vector: str, name: str) -> None:
    cells = np.array(GOLDEN[vector][0])
    cells[np.triu_indices(len(cells), 1)] = np.nan
    assert metric(name).compute(cells, np.full(len(cells), np.nan)) == pytest.approx(GOLDEN[vector][2][name], abs=1e-12)


def test_forgetting_per_task_of_c() -> None:
    np.testing.assert_allclose(forgetting_per_task(np.array(C)), [0.11, -0.03, np.nan], atol=1e-12)


def test_a_score_before_the_task_was_learned_is_never_forgotten() -> None:
    lucky = np.array(B)
    lucky[0, 1] = 0.99
    np.testing.assert_array_equal(forgetting_per_task(lucky), forgetting_per_task(np.array(B)))


def test_an_unfinished_stream_counts_the_tasks_learned_so_far() -> None:
    whole = matrix("B")
    after_two = AccuracyMatrix(tasks=whole.tasks, before=whole.before, rows=whole.rows[:2])
    found = compute_all(after_two)
    assert found["average_accuracy"] == pytest.approx(0.775)
    assert found["learning_accuracy"] == pytest.approx(0.825)
    assert found["bwt_gem"] == pytest.approx(-0.10)
    assert found["fwt_gem"] == pytest.approx(0.05)
    assert over_arrivals("average_accuracy", whole) == pytest.approx((0.80, 0.775, 0.81))
    assert over_arrivals("bwt_gem", whole) == (None, pytest.approx(-0.10), pytest.approx(-0.06))


def test_reference_learners_give_transfer_and_intransigence() -> None:
    references = {
        "single_task": {"task0": 0.82, "task1": 0.80, "task2": 0.87},
        "joint": {"task2": 0.93},
    }
    assert compute_all(matrix("B"))["fwt_single_task"] is None
    found = compute_all(matrix("B"), references)
    assert found["fwt_single_task"] == pytest.approx(0.02)
    assert found["intransigence_chaudhry"] == pytest.approx(0.03)
