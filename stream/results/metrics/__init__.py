"""Continual-learning metrics: one file each, found by being here.

Public code gives different numbers the same name, so every convention has a name of its own. A new metric is one new
file `NAME.py` that defines `METRIC = Metric(name="NAME", ...)`.

A task without a score on the day it arrived, as one whose fit failed, is left out of every metric together with its
row: what is left is R of the stream that never had it, as a sequential learner goes on from the body before. `counted`
says how many tasks that leaves.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from stream.results.matrix import AccuracyMatrix, as_array
from stream.results.metrics.definition import Baseline, Metric
from stream.results.metrics.forgetting_chaudhry import forgetting_per_task
from tasks.description import Array, Description, describe
from tasks.errors import InputError, place_of, unknown_name
from tasks.registry import Registry

__all__ = [
    "Baseline",
    "Description",
    "Metric",
    "compute_all",
    "compute_one",
    "counted",
    "describe",
    "forgetting_per_task",
    "metric",
    "metrics",
    "over_arrivals",
]

References = Mapping[Baseline, Mapping[str, float]]


@cache
def _discovered() -> tuple[Metric, ...]:
    found = []
    for module in pkgutil.iter_modules(__path__):
        if module.name == "definition":
            continue
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "METRIC", None)
        if not isinstance(candidate, Metric) or candidate.name != module.name:
            where, expected = f"stream/results/metrics/{module.name}.py", f'METRIC = Metric(name="{module.name}", ...)'
            raise InputError(
                "the file of a metric must define METRIC, named as the file", where=where, expected=expected
            )
        found.append(candidate)
    return tuple(found)


METRICS = Registry("metric", lambda: {found.name: found for found in _discovered()})


def metrics() -> Mapping[str, Metric]:
    """Every metric by name: ours in alphabetical order, then those of plug-ins while a run has them."""
    return METRICS.known()


def metric(name: str) -> Metric:
    """The metric of this name.

    Raises:
        InputError: No such metric; the message names the nearest ones.
    """
    known = metrics()
    if name not in known:
        raise unknown_name("metric", name, known)
    return known[name]


def compute_all(
    matrix: AccuracyMatrix, references: References | None = None, own: Sequence[str] = ()
) -> dict[str, float | None]:
    """Every metric after the last finished arrival; over the k tasks learned so far when the stream is not finished.

    Args:
        references: Scores of reference learners by task name, for the metrics whose `baseline` is `single_task` or
            `joint`; without them these metrics are None.
        own: Metrics of plug-ins to compute too.

    Raises:
        InputError: A metric of a plug-in fails on this matrix.
    """
    cells = as_array(matrix)
    values = {
        name: _after(found, matrix, cells, matrix.arrivals, references) for name, found in METRICS.built_in().items()
    }
    return values | {name: _own(metric(name), matrix, cells, references) for name in own}


def compute_one(found: Metric, matrix: AccuracyMatrix, references: References | None = None) -> float | None:
    """One metric, of these or of a caller's own, after the last finished arrival; see `compute_all`."""
    return _after(found, matrix, as_array(matrix), matrix.arrivals, references)


def counted(matrix: AccuracyMatrix) -> int:
    """How many of the tasks that arrived the metrics are over: those that have a score from their own arrival."""
    return int(_scored(as_array(matrix), matrix.arrivals).sum())


def over_arrivals(name: str, matrix: AccuracyMatrix, references: References | None = None) -> tuple[float | None, ...]:
    """One metric after each finished arrival k = 1..arrivals, every time over the first k tasks."""
    found, cells = metric(name), as_array(matrix)
    return tuple(_after(found, matrix, cells, k, references) for k in range(1, matrix.arrivals + 1))


def _own(found: Metric, matrix: AccuracyMatrix, cells: Array, references: References | None) -> float | None:
    """The value of a plug-in's metric, a plain number that every JSON file can hold, or None."""
    try:
        value = _after(found, matrix, cells, matrix.arrivals, references)
        return None if value is None or not math.isfinite(value) else float(value)
    except Exception as error:  # code of others may raise anything
        origin = METRICS.origin(found.name)
        where, what = place_of(error, origin.file if origin else "")
        fix = "correct it and give the command again: no completed work is lost"
        raise InputError(f"metric {found.name} fails on this run", where=where, found=what, fix=fix) from error


def _scored(cells: Array, k: int) -> npt.NDArray[np.bool_]:
    """Which of the first k tasks have a score from the day they arrived, [k]."""
    return ~np.isnan(cells[1 : k + 1, :k].diagonal())


def _after(found: Metric, matrix: AccuracyMatrix, cells: Array, k: int, references: References | None) -> float | None:
    baseline: Array = cells[0, :k]
    if found.baseline != "before":
        scores = (references or {}).get(found.baseline, {})
        baseline = np.array([scores.get(task, np.nan) for task in matrix.tasks[:k]], dtype=np.float64)
    rows, kept = cells[1 : k + 1, :k], _scored(cells, k)
    only_last = not kept.any() and not np.isnan(rows[-1:]).all()  # known by its last row alone: enough for some
    if kept.all() or only_last:
        return found.compute(rows, baseline)
    return found.compute(rows[np.ix_(kept, kept)], baseline[kept])
