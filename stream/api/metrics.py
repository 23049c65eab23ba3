"""Metrics that a caller has as objects: computed for the results that `run` returns, from the accuracy matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError

if TYPE_CHECKING:  # NumPy
    from stream.results.metrics import Metric

PLUGIN = "put it into a plug-in file"


def check_metric(metric: object) -> Metric:
    """A metric that can be computed from R alone; tried on a small R before anything is trained.

    Raises:
        InputError: No metric, the name of another one, or one that fails.
    """
    import numpy as np

    from stream.results.metrics import Metric, metrics

    if not isinstance(metric, Metric):
        expected = "a stream.results.metrics.Metric"
        raise InputError("not a metric", where="metrics", expected=expected, found=repr(metric)[:80])
    where = f"metric {metric.name!r}"
    if metrics().get(metric.name, metric) is not metric:
        raise InputError("there is another metric of this name", where=where, fix="give it a name of its own")
    if metric.baseline != "before" and metric.name not in metrics():
        what = "a metric given as an object knows no other learner's scores"
        raise InputError(what, where=where, expected="baseline='before'", found=metric.baseline, fix=PLUGIN)
    try:
        value = metric.compute(np.array([[0.5, 0.25], [0.5, 0.75]]), np.zeros(2))
        good = value is None or math.isfinite(value)
    except Exception as error:  # whatever a function of the caller's may raise
        raise InputError(
            "compute fails on R of two tasks", where=where, found=f"{type(error).__name__}: {error}"
        ) from error
    if not good:
        raise InputError("compute gives no number", where=where, expected="a finite number, or None", found=repr(value))
    return metric


def add_metrics(document: Mapping[str, Any], own: Sequence[Metric]) -> dict[str, Any]:
    """The results with the value of each metric for each learner; those that taskstream has are in them already.

    Raises:
        InputError: A metric fails on this R; the run itself is complete.
    """
    from stream.results.matrix import AccuracyMatrix
    from stream.results.metrics import compute_one, metrics

    new = [metric for metric in own if metric.name not in metrics()]
    learners = dict(document["learners"])
    for name, learner in learners.items() if new else ():
        before, *rows = (tuple(row) for row in learner["R"])
        matrix = AccuracyMatrix(tuple(document["order"]), before, tuple(rows))
        try:
            values = {metric.name: compute_one(metric, matrix) for metric in new}
        except Exception as error:  # as above
            found = f"{type(error).__name__}: {error}"
            fix = "correct compute and call run again: the run is complete and computes nothing again"
            raise InputError("a metric of yours fails", where=f"learner {name}", found=found, fix=fix) from error
        learners[name] = {**learner, "metrics": {**learner["metrics"], **values}}
    return {**document, "learners": learners}
