"""The standard error of a score: how much it would vary over other test rows of the same task."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tasks.errors import unknown_name
from tasks.metrics import TASK_METRICS

Values = npt.NDArray[np.float64]
RESAMPLES = 500
SEED = 0  # fixed, so that the same answers give the same bits


def standard_error(
    metric: str, target: npt.NDArray[np.generic], logits: npt.NDArray[np.generic], positive: int | None = None
) -> float:
    """Returns the bootstrap's standard error (Efron 1979): the standard deviation of the score over samples of the test
    rows, drawn with replacement, each as large as the test set.

    Only the counts of a confusion matrix matter for accuracy, F1 and Matthews, so samples of rows are draws of counts.
    For accuracy this has a closed form, sqrt(p (1 - p) / n). It is 0 if all answers are right, or all wrong.

    Args:
        metric, target, logits, positive: As for `tasks.metrics.score`, which must accept them.

    Raises:
        InputError: Unknown metric.
    """
    answers = logits[:, 0] if metric == "spearman" else logits.argmax(axis=1)
    if metric == "accuracy":
        right = float((target == answers).mean())
        return math.sqrt(right * (1 - right) / len(target))
    if metric == "f1":
        return _of_counts(target == positive, answers == positive, 2, _f1)
    if metric == "matthews":
        return _of_counts(target, answers, logits.shape[1], _matthews)
    if metric == "spearman":
        return _of_ranks(target.astype(np.float64), answers.astype(np.float64))
    raise unknown_name("task metric", metric, TASK_METRICS)


def _of_counts(
    target: npt.NDArray[np.generic],
    answers: npt.NDArray[np.generic],
    classes: int,
    score: Callable[[Values], Values],
) -> float:
    """Args: `score` maps confusion matrices [samples, classes, classes], by target and answer, to scores [samples]."""
    cells = np.bincount(target.astype(np.int64) * classes + answers.astype(np.int64), minlength=classes**2)
    known = cells.nonzero()[0]  # many classes leave most cells empty
    drawn = np.random.default_rng(SEED).multinomial(len(target), cells[known] / len(target), RESAMPLES)
    confusion = np.zeros((RESAMPLES, classes**2))
    confusion[:, known] = drawn
    return float(score(confusion.reshape(RESAMPLES, classes, classes)).std())


def _f1(confusion: Values) -> Values:
    right = 2 * confusion[:, 1, 1]
    return _ratio(right, right + confusion[:, 0, 1] + confusion[:, 1, 0])


def _matthews(confusion: Values) -> Values:
    """R_K of Gorodkin (2004); 0 where targets or answers are constant."""
    n, right = confusion.sum(axis=(1, 2)), confusion.trace(axis1=1, axis2=2)
    targets, answers = confusion.sum(axis=2), confusion.sum(axis=1)
    spread = (n**2 - (targets**2).sum(axis=1)) * (n**2 - (answers**2).sum(axis=1))
    return _ratio(right * n - (targets * answers).sum(axis=1), np.sqrt(spread))


def _ratio(above: Values, below: Values) -> Values:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _of_ranks(target: Values, answers: Values) -> float:
    from scipy.stats import rankdata

    random, n = np.random.default_rng(SEED), len(target)
    scores = np.zeros(RESAMPLES)
    for sample in range(RESAMPLES):
        rows = random.integers(n, size=n)
        a, b = (rank - (n + 1) / 2 for rank in (rankdata(target[rows]), rankdata(answers[rows])))
        spread = float(a @ a) * float(b @ b)
        scores[sample] = float(a @ b) / math.sqrt(spread) if spread else 0.0
    return float(scores.std())
