"""Task metrics against their formulas written out, and on the inputs that make libraries warn."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.errors import InputError
from tasks.metrics import TASK_METRICS, score

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def one_hot(prediction: Integers, classes: int) -> Floats:
    return np.eye(classes)[prediction]


@st.composite
def binary(draw: st.DrawFn) -> tuple[Integers, Integers]:
    count = draw(st.integers(1, 30))
    labels = arrays(np.int64, count, elements=st.integers(0, 1))
    return draw(labels), draw(labels)


@settings(deadline=None)  # the first call imports the library
@given(binary(), st.integers(0, 1))
def test_binary_metrics_equal_their_formulas(case: tuple[Integers, Integers], positive: int) -> None:
    target, prediction = case
    logits = one_hot(prediction, 2)
    yes, said = target == positive, prediction == positive
    tp, fp = int((yes & said).sum()), int((~yes & said).sum())
    fn, tn = int((yes & ~said).sum()), int((~yes & ~said).sum())
    assert score("accuracy", target, logits) == pytest.approx(float(Fraction(tp + tn, len(target))))
    f1 = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0
    assert score("f1", target, logits, positive) == pytest.approx(f1)
    scale = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    matthews = (tp * tn - fp * fn) / scale if scale else 0.0
    assert score("matthews", target, logits) == pytest.approx(matthews, abs=1e-12)


@settings(deadline=None)  # the first call imports the library
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-4, 4)), min_size=1, max_size=20))
def test_spearman_is_the_correlation_of_mean_ranks(pairs: list[tuple[int, int]]) -> None:
    target, prediction = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    first, second = (
        np.array([(values < value).sum() + ((values == value).sum() - 1) / 2 for value in values])
        for values in (target, prediction)
    )
    first, second = first - first.mean(), second - second.mean()
    scale = math.sqrt((first @ first) * (second @ second))
    expected = first @ second / scale if scale else 0.0
    assert score("spearman", target, prediction[:, None]) == pytest.approx(expected, abs=1e-12)


def test_spearman_sees_the_order_alone() -> None:
    target = np.linspace(0, 5, 11)
    assert score("spearman", target, np.exp(target)[:, None].astype(np.float32)) == 1.0
    assert score("spearman", target, -(target**3)[:, None]) == -1.0


@pytest.mark.parametrize(
    ("metric", "target", "logits", "expected"),
    [
        ("spearman", [0.0, 1.0, 2.0], [[0.5], [0.5], [0.5]], 0.0),
        ("spearman", [1.0, 1.0, 1.0], [[0.1], [0.2], [0.3]], 0.0),
        ("spearman", [1.0], [[0.1]], 0.0),
        ("matthews", [0, 1, 1], [[1, 0], [1, 0], [1, 0]], 0.0),
        ("matthews", [1, 1], [[0, 1], [0, 1]], 0.0),
        ("f1", [0, 0], [[1, 0], [1, 0]], 0.0),
        ("f1", [1, 1], [[1, 0], [1, 0]], 0.0),
        ("accuracy", [0, 1], [[0, 0], [0, 0]], 0.5),  # equal logits: the lowest class
        ("accuracy", [1], [[-np.inf, 0.0]], 1.0),
    ],
)
def test_degenerate_inputs_have_a_score(
    metric: str, target: list[float], logits: list[list[float]], expected: float
) -> None:
    assert score(metric, np.array(target), np.array(logits), positive=1) == expected


@pytest.mark.parametrize(
    ("metric", "target", "logits", "message"),
    [
        ("accuracy", [0], [[np.nan, 0.0]], "NaN"),
        ("spearman", [np.nan, 1.0], [[0.0], [1.0]], "NaN"),
        ("accuracy", [], np.empty((0, 2)), "n, C > 0"),
        ("accuracy", [0, 1], [[1.0, 0.0]], r"target must be \[n\]"),
        ("accuracy", [0], [1.0], r"target must be \[n\]"),
        ("accuracy", [2], [[1.0, 0.0]], r"class indices 0\.\.1"),
        ("matthews", [-1], [[1.0, 0.0]], "class indices"),
        ("spearman", [1.0], [[1.0, 0.0]], r"logits \[n, 1\]"),
        ("f1", [1], [[1.0, 0.0]], "positive class"),
    ],
)
def test_what_has_no_score_is_refused(metric: str, target: list[float], logits: Floats, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(metric, np.array(target), np.array(logits))


def test_an_unknown_metric_gets_a_hint() -> None:
    with pytest.raises(InputError, match="did you mean accuracy"):
        score("acuracy", np.array([0]), np.array([[1.0, 0.0]]))


def test_more_than_two_classes() -> None:
    target, prediction = np.array([0, 1, 2, 2]), np.array([0, 2, 2, 2])
    assert score("accuracy", target, one_hot(prediction, 3)) == 0.75
    # R_K (Gorodkin 2004): c = 3 right of s = 4; target counts (1,1,2), predicted (1,0,3):
    # (3*4 - (1*1 + 1*0 + 2*3)) / sqrt((16 - 6) (16 - 10)) = 5 / sqrt(60)
    assert score("matthews", target, one_hot(prediction, 3)) == pytest.approx(5 / math.sqrt(60))


def test_the_registry_is_read_only_and_keyed_by_name() -> None:
    assert list(TASK_METRICS) == [found.name for found in TASK_METRICS.values()]
    with pytest.raises(TypeError):
        TASK_METRICS["accuracy"] = TASK_METRICS["f1"]  # type: ignore[index]


def test_listing_the_metrics_imports_no_heavy_library() -> None:
    code = "import sys, tasks.metrics, stream.results.metrics as m; m.metrics(); print(*sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert not {"torch", "sklearn", "scipy", "pandas", "transformers"} & set(done.stdout.split())
