"""What every registered metric must satisfy, and that registering takes one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import stream.results.metrics
from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import Baseline, Metric, References, compute_all, counted, describe, metric, metrics
from stream.results.metrics.definition import Array, Description
from tasks.errors import InputError
from tasks.metrics import TASK_METRICS
from tests.conformance.plugged import plugged

with plugged():
    METRICS = metrics()
DESCRIBED: list[Description] = [*METRICS.values(), *TASK_METRICS.values()]


@pytest.mark.parametrize("found", DESCRIBED, ids=lambda found: found.name)
def test_describes_itself(found: Description) -> None:
    description = json.loads(json.dumps(describe(found)))
    assert set(description) == {"name", "title", "formula", "citation", "range", "direction", "empty_cells"}
    assert all(description.values())
    assert description["direction"] == ("lower is better" if found.lower_is_better else "higher is better")
    assert description["range"][0] < description["range"][1]


@pytest.mark.parametrize("name", METRICS)
def test_edge_cases_give_none_rather_than_an_error(name: str) -> None:
    compute = metric(name).compute
    assert compute(np.empty((0, 0)), np.empty(0)) is None
    assert compute(np.full((4, 4), np.nan), np.full(4, np.nan)) is None
    one = compute(np.array([[0.5]]), np.array([0.25]))
    assert one is None or isinstance(one, float)


@pytest.mark.parametrize("name", METRICS)
def test_leaves_the_matrix_alone_and_repeats_itself(name: str) -> None:
    rows, baseline = np.random.default_rng(0).random((5, 5)), np.random.default_rng(1).random(5)
    rows.flags.writeable = baseline.flags.writeable = False
    first = metric(name).compute(rows, baseline)
    assert isinstance(first, float)
    assert metric(name).compute(rows, baseline) == first


@pytest.mark.parametrize("name", METRICS)
def test_scores_get_better_in_the_stated_direction(name: str) -> None:
    """Raising R[T, j] of all tasks (but never R[j, j] of an earlier one) must not make a metric worse."""
    rows, baseline = np.random.default_rng(2).random((5, 5)) / 2, np.full(5, 0.1)
    better = rows.copy()
    better[-1] += 0.25
    sign = -1 if metric(name).lower_is_better else 1
    before, after = metric(name).compute(rows, baseline), metric(name).compute(better, baseline)
    assert before is not None
    assert after is not None
    assert sign * after >= sign * before


@pytest.mark.parametrize("found", METRICS.values(), ids=lambda found: found.name)
@pytest.mark.parametrize("lost", [(0,), (2,), (4,), (0, 1, 3), (0, 1, 2, 3, 4)])
def test_a_task_that_failed_is_left_out_as_if_it_had_never_come(found: Metric, lost: tuple[int, ...]) -> None:
    """Its cells are empty from its arrival on; those before it arrived, where `square` has them, do not count."""
    draw = np.random.default_rng(3)
    rows, before, alone = draw.random((5, 5)), draw.random(5), draw.random(5)
    rows[tuple(zip(*((i, j) for j in lost for i in range(j, 5)), strict=True))] = np.nan
    kept = [j for j in range(5) if j not in lost]
    whole, reduced = (
        AccuracyMatrix(tuple(f"t{j}" for j in tasks), tuple(before[tasks]), tuple(tuple(none(row)) for row in cells))
        for tasks, cells in ((list(range(5)), rows), (kept, rows[np.ix_(kept, kept)]))
    )
    references: References = {kind: {f"t{j}": alone[j] for j in range(5)} for kind in get_args(Baseline)}
    own = [found.name] if stream.results.metrics.METRICS.origin(found.name) else []
    expected = compute_all(reduced, references, own)[found.name]
    assert compute_all(whole, references, own)[found.name] == expected
    assert expected is not None or len(kept) < 2
    assert (counted(whole), counted(reduced)) == (len(kept), len(kept))


def none(row: Array) -> list[float | None]:
    return [None if np.isnan(cell) else float(cell) for cell in row]


def test_unknown_name_gets_a_hint() -> None:
    with pytest.raises(InputError, match="did you mean bwt_gem"):
        metric("bwt_gen")


def test_a_new_metric_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worst_task.py").write_text(
        "from stream.results.metrics.definition import Metric\n"
        "METRIC = Metric(name='worst_task', title='Worst task', formula='min_j R[T,j]', citation='none',\n"
        "                range=(0.0, 1.0), compute=lambda R, b: float(R[-1].min()))\n"
    )
    monkeypatch.setattr(stream.results.metrics, "__path__", [*stream.results.metrics.__path__, str(tmp_path)])
    stream.results.metrics._discovered.cache_clear()
    try:
        assert metric("worst_task").compute(np.array([[0.5, 0.0], [0.25, 0.75]]), np.zeros(2)) == 0.25
        (tmp_path / "nameless.py").write_text("")
        stream.results.metrics._discovered.cache_clear()
        with pytest.raises(InputError, match=r"nameless\.py: a metric's file must define METRIC"):
            metrics()
    finally:
        monkeypatch.undo()
        stream.results.metrics._discovered.cache_clear()
