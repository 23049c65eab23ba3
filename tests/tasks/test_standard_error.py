"""The standard error of every metric: that of plain resampling of rows with the metric itself."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.metrics import TASK_METRICS, score
from tasks.standard_error import RESAMPLES, standard_error


def resampled(metric: str, target: np.ndarray, logits: np.ndarray, positive: int | None) -> float:
    """The definition: draw rows, score them; the standard deviation of the scores."""
    random, n = np.random.default_rng(1), len(target)
    drawn = (random.integers(n, size=n) for _ in range(RESAMPLES))
    return float(np.std([score(metric, target[rows], logits[rows], positive) for rows in drawn]))


@pytest.mark.parametrize("metric", [metric for metric in TASK_METRICS if metric != "accuracy"])
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32), n=st.integers(25, 80), classes=st.integers(2, 4), noise=st.floats(0.2, 2))
def test_it_is_that_of_plain_resampling(metric: str, seed: int, n: int, classes: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    if metric == "spearman":
        target = random.integers(0, 6, n).astype(np.float64)  # with ties
        logits = (target + noise * random.normal(size=n))[:, None].astype(np.float32)
    else:
        classes = 2 if metric == "f1" else classes
        target = random.integers(0, classes, n)
        logits = (np.eye(classes)[target] + noise * random.normal(size=(n, classes))).astype(np.float32)
        assume((logits.argmax(axis=1) != target).any())  # else resampling knows no error, see below
    positive = 1 if metric == "f1" else None
    found, expected = (f(metric, target, logits, positive) for f in (standard_error, resampled))
    # The standard deviation of 500 scores is itself uncertain by 1 / sqrt(2 x 500), twice: both are drawn. Five times.
    assert found == pytest.approx(expected, rel=5 * np.sqrt(2 / (2 * RESAMPLES)), abs=0.01)
    assert found == standard_error(metric, target, logits, positive), "drawn with a fixed seed"


@pytest.mark.parametrize(("n", "right"), [(4, 3), (10, 10), (10, 0), (400, 300)])
def test_the_accuracy_has_a_closed_form(n: int, right: int) -> None:
    """With two right and two wrong answers added, so that ten right answers of ten do not make a score certain."""
    target, logits = (np.arange(n) >= right).astype(int), np.tile([1.0, 0.0], (n, 1))
    p = (right + 2) / (n + 4)
    found = standard_error("accuracy", target, logits)
    assert found == pytest.approx(np.sqrt(p * (1 - p) / (n + 4)))
    assert found > 0
    if n == 400:
        assert found == pytest.approx(resampled("accuracy", target, logits, None), rel=0.2)


@pytest.mark.parametrize("metric", ["f1", "matthews"])
def test_ten_right_answers_of_ten_are_not_certain(metric: str) -> None:
    target = np.arange(10) % 2
    found = standard_error(metric, target, np.eye(2)[target], 1)
    assert found == standard_error("accuracy", target, np.eye(2)[target]) > 0.05


def test_many_classes_and_rows_take_little_memory() -> None:
    random = np.random.default_rng(0)
    target, answers = random.integers(1000, size=2000), random.integers(1000, size=2000)
    tracemalloc.start()
    standard_error("matthews", target, np.eye(1000, dtype=np.float32)[answers])
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("metric", ["f1", "matthews", "spearman"])
def test_a_constant_answer_is_certain(metric: str) -> None:
    logits = np.zeros((10, 1)) if metric == "spearman" else np.tile([1.0, 0.0], (10, 1))
    assert standard_error(metric, np.arange(10) % 2, logits, 1) == 0


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean accuracy"):
        standard_error("accurcy", np.zeros(2, int), np.zeros((2, 2)))
