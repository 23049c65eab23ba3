"""The standard error of a score: how much it would vary over other test rows of the same task."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tasks.errors import unknown_name
from tasks.metrics import TASK_METRICS

Values = npt.NDArray[np.float64]
RESAMPLES, TOGETHER = 500, 50  # samples; those in memory at the same time
SEED = 0  # fixed, so that the same answers give the same bits


def standard_error(
    metric: str, target: npt.NDArray[np.generic], logits: npt.NDArray[np.generic], positive: int | None = None
) -> float:
    """Returns the bootstrap's standard error (Efron 1979): the standard deviation of the score over samples of the test
    rows, drawn with replacement, each as large as the test set.

    Only the counts of a confusion matrix matter for accuracy, F1 and Matthews, so samples of rows are draws of counts.
    The bootstrap of an accuracy has a closed form, but it is 0 if all answers are right, and a few right answers do not
    prove that all are. So two right and two wrong answers are added (Agresti and Coull 1998): the error is
    sqrt(p (1 - p) / (n + 4)) with p = (k + 2) / (n + 4) for k right answers of n. If all answers are right, it is also
    that of F1 and Matthews.

    Args:
        metric, target, logits, positive: As for `tasks.metrics.score`, which must accept them.

    Raises:
        InputError: Unknown metric.
    """
    answers = logits[:, 0] if metric == "spearman" else logits.argmax(axis=1)
    right, n = int((target == answers).sum()), len(target)
    if metric == "accuracy" or (metric in ("f1", "matthews") and right == n):
        p = (right + 2) / (n + 4)
        return math.sqrt(p * (1 - p) / (n + 4))
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
    score: Callable[[Values, Values, Values], Values],
) -> float:
    """Args: `score` maps right answers per class, targets and answers per class, each [samples, classes], to scores
    [samples]."""
    cells = np.bincount(target.astype(np.int64) * classes + answers.astype(np.int64), minlength=classes**2)
    known = cells.nonzero()[0]  # many classes leave most cells of the confusion matrix empty
    kinds = (known // classes, known % classes)
    random, scores = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES // TOGETHER):
        drawn = random.multinomial(len(target), cells[known] / len(target), TOGETHER)
        right, *sums = (np.zeros((TOGETHER, classes)) for _ in range(3))
        for row, counts in enumerate(drawn):
            for total, kind in zip(sums, kinds, strict=True):
                total[row] = np.bincount(kind, counts, classes)
            same = kinds[0] == kinds[1]
            right[row] = np.bincount(kinds[0][same], counts[same], classes)
        scores.append(score(right, *sums))
    return float(np.concatenate(scores).std())


def _f1(right: Values, targets: Values, answers: Values) -> Values:
    return _ratio(2 * right[:, 1], targets[:, 1] + answers[:, 1])


def _matthews(right: Values, targets: Values, answers: Values) -> Values:
    """R_K of Gorodkin (2004); 0 where targets or answers are constant."""
    n = targets.sum(axis=1)
    spread = (n**2 - (targets**2).sum(axis=1)) * (n**2 - (answers**2).sum(axis=1))
    return _ratio(right.sum(axis=1) * n - (targets * answers).sum(axis=1), np.sqrt(spread))


def _ratio(above: Values, below: Values) -> Values:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _of_ranks(target: Values, answers: Values) -> float:
    random, n = np.random.default_rng(SEED), len(target)
    places = [np.unique(values, return_inverse=True)[1] for values in (target, answers)]
    scores = np.zeros(RESAMPLES)
    for sample in range(RESAMPLES):
        rows = random.integers(n, size=n)
        a, b = (_ranks(place[rows]) - (n + 1) / 2 for place in places)
        spread = float(a @ a) * float(b @ b)
        scores[sample] = float(a @ b) / math.sqrt(spread) if spread else 0.0
    return float(scores.std())


def _ranks(places: npt.NDArray[np.intp]) -> Values:
    """Ranks [n] from 1 of values whose places in the sorted order of all values are known; ties at their mean rank."""
    counts = np.bincount(places)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
