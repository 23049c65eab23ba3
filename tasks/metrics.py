"""Task metrics: scores of the logits of one task. Scores are fractions, not percent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.description import Array, Description
from tasks.errors import unknown_name
from tasks.task import Task

SCORING_FORMAT = 1  # increase it if the same logits no longer give the same score and standard error
_version = cache(version)  # each job asks, and each look-up takes milliseconds


@dataclass(frozen=True, kw_only=True)
class TaskMetric(Description):
    """A task metric.

    Attributes:
        compute: `(target [n], prediction [n], positive) -> score`. A prediction is a class index, for a regression a
            real number.
        regression: Whether the logits are one real number per row. Default: False, one per class.
        library: Distribution that computes it; "" (default) if only NumPy does.
    """

    compute: Callable[[npt.NDArray[Any], npt.NDArray[Any], int | None], float]
    regression: bool = False
    library: str = ""
    empty_cells: str = "None, never 0, where a logit is not a finite number."


def score(metric: str, target: npt.NDArray[Any], logits: npt.NDArray[Any], positive: int | None = None) -> float:
    """Score of the logits of one task.

    Args:
        metric: `accuracy`, `f1`, `matthews` or `spearman`.
        target: Class indices [n], or real numbers [n] for `spearman`.
        logits: [n, C]; [n, 1] for `spearman`. The class with the largest logit is predicted; of equal ones, the first.
        positive: Index of the positive class, only for `f1`. Default: None.

    Returns:
        A fraction in [0, 1] (accuracy, f1) or [-1, 1] (matthews, spearman). The score is 0.0 if it is not defined: for
        a correlation with a constant, and for the F1 of a class that neither occurs nor is predicted.

    Raises:
        InputError: Unknown metric.
        ValueError: There are no rows, shapes do not match, logits or targets contain NaN, a target is not a class
            index, or `f1` has no positive class.
    """
    if metric not in TASK_METRICS:
        raise unknown_name("task metric", metric, TASK_METRICS)
    found = TASK_METRICS[metric]
    if logits.ndim != 2 or target.shape != logits.shape[:1] or not logits.size:
        raise ValueError(f"target must be [n] and logits [n, C] with n, C > 0, not {target.shape} and {logits.shape}")
    if np.isnan(logits).any() or np.isnan(target).any():
        raise ValueError(f"NaN among the logits or targets given to {metric}")
    classes = logits.shape[1]
    if found.regression:
        if classes != 1:
            raise ValueError(f"{metric} takes logits [n, 1], not {logits.shape}")
        return _bounded(found.compute(target, logits[:, 0], positive), found)
    if not np.isin(target, np.arange(classes)).all():
        raise ValueError(f"targets of {metric} must be class indices 0..{classes - 1}")
    return _bounded(found.compute(target, logits.argmax(axis=1), positive), found)


def scoring(task: Task) -> str:
    """Returns what computes the scores of a task, such as "f1 of equivalent, format 1, scikit-learn 1.7.2".

    A score chooses the best epoch of a fit, so this text is part of the ids of fits and of the keys of all results.
    """
    positive = task.positive_class if task.metric == "f1" else None
    of = "" if positive is None else f" of {(task.labels or ())[positive]}"
    library = TASK_METRICS[task.metric].library
    used = f", {library} {_version(library)}" if library else ""
    return f"{task.metric}{of}, format {SCORING_FORMAT}{used}"


def _bounded(value: float, found: TaskMetric) -> float:
    # Rounding errors can make a perfect correlation larger than 1.
    return float(np.clip(value, *found.range))


def _accuracy(target: npt.NDArray[Any], prediction: npt.NDArray[Any], positive: int | None) -> float:
    return float((target == prediction).mean())  # scikit-learn's checks would take milliseconds per call


def _f1(target: npt.NDArray[Any], prediction: npt.NDArray[Any], positive: int | None) -> float:
    from sklearn.metrics import f1_score

    if positive is None:
        raise ValueError("f1 needs the index of the positive class")
    return float(f1_score(target == positive, prediction == positive, zero_division=0.0))


def _matthews(target: npt.NDArray[Any], prediction: npt.NDArray[Any], positive: int | None) -> float:
    from sklearn.metrics import matthews_corrcoef

    return 0.0 if _constant(target) or _constant(prediction) else float(matthews_corrcoef(target, prediction))


def _spearman(target: npt.NDArray[Any], prediction: npt.NDArray[Any], positive: int | None) -> float:
    from scipy.stats import spearmanr

    if _constant(target) or _constant(prediction):
        return 0.0
    target64: Array = target.astype(np.float64)
    return float(spearmanr(target64, prediction.astype(np.float64)).statistic)


def _constant(values: npt.NDArray[Any]) -> bool:
    return bool((values == values[0]).all())


TASK_METRICS: Mapping[str, TaskMetric] = MappingProxyType(
    {
        found.name: found
        for found in (
            TaskMetric(
                name="accuracy",
                title="Accuracy",
                formula="(1/n) sum_i [argmax_c logits[i,c] = target[i]]",
                citation="the metric of 22 of the 26 tasks of Houlsby et al. 2019",
                range=(0.0, 1.0),
                compute=_accuracy,
            ),
            TaskMetric(
                name="f1",
                title="F1 of the positive class",
                formula="2 TP / (2 TP + FP + FN); 0 where the class neither occurs nor is predicted",
                citation="Wang et al. 2019 (GLUE), MRPC and QQP; scikit-learn f1_score, binary",
                library="scikit-learn",
                range=(0.0, 1.0),
                compute=_f1,
            ),
            TaskMetric(
                name="matthews",
                title="Matthews correlation coefficient",
                formula="(TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)), R_K of Gorodkin 2004 for more than two "
                "classes; 0 where target or prediction is constant",
                citation="Matthews 1975; Wang et al. 2019 (GLUE), CoLA; scikit-learn matthews_corrcoef",
                library="scikit-learn",
                range=(-1.0, 1.0),
                compute=_matthews,
            ),
            TaskMetric(
                name="spearman",
                title="Spearman rank correlation",
                formula="Pearson correlation of the ranks, ties at their mean rank; 0 where target or prediction is "
                "constant",
                citation="Spearman 1904; Wang et al. 2019 (GLUE), STS-B; SciPy spearmanr",
                library="scipy",
                range=(-1.0, 1.0),
                compute=_spearman,
                regression=True,
            ),
        )
    }
)
