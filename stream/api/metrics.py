"""Metrics that a caller gives as objects. `run` computes them from the accuracy matrix R for the results it returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError

if TYPE_CHECKING:  # imports NumPy
    from stream.results.metrics import Metric

PLUGIN = "define it in a plug-in file"


def check_metric(metric: object) -> Metric:
    """Check a metric of the caller. It is tried on a small R [2, 2] before anything is trained.

    Returns:
        The metric.

    Raises:
        InputError: It is not a `Metric`, its name is in use, it needs the scores of other learners, or it fails.
    """
    import numpy as np

    from stream.results.metrics import Metric, metrics

    if not isinstance(metric, Metric):
        expected = "a stream.results.metrics.Metric"
        raise InputError("not a metric", where="metrics", expected=expected, found=repr(metric)[:80])
    where = f"metric {metric.name!r}"
    if metrics().get(metric.name, metric) is not metric:
        raise InputError("another metric has this name", where=where, fix="choose another name")
    if metric.baseline != "before" and metric.name not in metrics():
        what = "a metric given as an object cannot use scores of other learners"
        raise InputError(what, where=where, expected="baseline='before'", found=metric.baseline, fix=PLUGIN)
    try:
        value = metric.compute(np.array([[0.5, 0.25], [0.5, 0.75]]), np.zeros(2))
        good = value is None or math.isfinite(value)
    except Exception as error:  # a function of the caller may raise anything
        raise InputError(
            "compute fails on an R of two tasks", where=where, found=f"{type(error).__name__}: {error}"
        ) from error
    if not good:
        raise InputError(
            "compute returns no number", where=where, expected="a finite number or None", found=repr(value)
        )
    return metric


def add_metrics(document: Mapping[str, Any], own: Sequence[Metric]) -> dict[str, Any]:
    """Add the value of each metric of the caller to each learner's results. Built-in metrics are in them already.

    Args:
        document: The document of the results. It is not changed.
        own: Metrics of the caller.

    Returns:
        A new document.

    Raises:
        InputError: A metric fails on this R. The run itself is complete.
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
        except Exception as error:  # a function of the caller may raise anything
            found = f"{type(error).__name__}: {error}"
            fix = "correct the function compute and call run again; the run is complete, so nothing is computed twice"
            raise InputError("your metric fails", where=f"learner {name}", found=found, fix=fix) from error
        learners[name] = {**learner, "metrics": {**learner["metrics"], **values}}
    return {**document, "learners": learners}
