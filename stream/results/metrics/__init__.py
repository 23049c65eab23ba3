"""The continual-learning metrics: one file per metric. Every file in this folder is found automatically.

Published code uses one name for different numbers, so each definition has its own name here. To add a metric, add one
file `NAME.py` that defines `METRIC = Metric(name="NAME", ...)`.

A task can have no score on its own arrival, for example because its fit failed. Every metric leaves out such a task and
its row. The rest is R of a stream without that task: a sequential learner continues from the body before it. `counted`
returns the number of remaining tasks.

Other packages may import the names in `__all__`.
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
                "a metric's file must define METRIC, with the name of the file", where=where, expected=expected
            )
        found.append(candidate)
    return tuple(found)


METRICS = Registry("metric", lambda: {found.name: found for found in _discovered()})


def metrics() -> Mapping[str, Metric]:
    """Returns every metric by name: the built-in metrics in alphabetical order, then those of loaded plug-ins."""
    return METRICS.known()


def metric(name: str) -> Metric:
    """Returns the metric of this name.

    Raises:
        InputError: There is no such metric. The message names the most similar names.
    """
    known = metrics()
    if name not in known:
        raise unknown_name("metric", name, known)
    return known[name]


def compute_all(
    matrix: AccuracyMatrix, references: References | None = None, own: Sequence[str] = ()
) -> dict[str, float | None]:
    """Computes every metric after the last finished arrival, over the tasks that have arrived.

    Args:
        references: Scores of reference learners by task, for metrics whose `baseline` is `single_task` or `joint`.
            Without them these metrics are None.
        own: Names of plug-in metrics to compute too.

    Returns:
        The value of each metric by name; None if it is not defined.

    Raises:
        InputError: A plug-in metric fails on this matrix.
    """
    cells = as_array(matrix)
    values = {
        name: _after(found, matrix, cells, matrix.arrivals, references) for name, found in METRICS.built_in().items()
    }
    return values | {name: _own(metric(name), matrix, cells, references) for name in own}


def compute_one(found: Metric, matrix: AccuracyMatrix, references: References | None = None) -> float | None:
    """Computes one metric after the last finished arrival; see `compute_all`. `found` need not be registered."""
    return _after(found, matrix, as_array(matrix), matrix.arrivals, references)


def counted(matrix: AccuracyMatrix) -> int:
    """Returns the number of arrived tasks that the metrics use: those with a score on their own arrival."""
    return int(_scored(as_array(matrix), matrix.arrivals).sum())


def over_arrivals(name: str, matrix: AccuracyMatrix, references: References | None = None) -> tuple[float | None, ...]:
    """Computes one metric after each finished arrival k = 1..arrivals, each time over the first k tasks."""
    found, cells = metric(name), as_array(matrix)
    return tuple(_after(found, matrix, cells, k, references) for k in range(1, matrix.arrivals + 1))


def _own(found: Metric, matrix: AccuracyMatrix, cells: Array, references: References | None) -> float | None:
    """Computes a plug-in metric. Returns a finite float, which JSON can hold, or None."""
    try:
        value = _after(found, matrix, cells, matrix.arrivals, references)
        return None if value is None or not math.isfinite(value) else float(value)
    except Exception as error:  # code of a plug-in may raise anything
        origin = METRICS.origin(found.name)
        where, what = place_of(error, origin.file if origin else "")
        fix = "correct the metric and give the command again; no completed work is lost"
        raise InputError(f"metric {found.name} fails on this run", where=where, found=what, fix=fix) from error


def _scored(cells: Array, k: int) -> npt.NDArray[np.bool_]:
    """Whether each of the first k tasks has a score on its own arrival, [k]."""
    return ~np.isnan(cells[1 : k + 1, :k].diagonal())


def _after(found: Metric, matrix: AccuracyMatrix, cells: Array, k: int, references: References | None) -> float | None:
    baseline: Array = cells[0, :k]
    if found.baseline != "before":
        scores = (references or {}).get(found.baseline, {})
        baseline = np.array([scores.get(task, np.nan) for task in matrix.tasks[:k]], dtype=np.float64)
    rows, kept = cells[1 : k + 1, :k], _scored(cells, k)
    only_last = not kept.any() and not np.isnan(rows[-1:]).all()  # some metrics need only the last row
    if kept.all() or only_last:
        return found.compute(rows, baseline)
    return found.compute(rows[np.ix_(kept, kept)], baseline[kept])
