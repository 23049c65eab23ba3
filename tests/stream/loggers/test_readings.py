"""Figures for logs: those of the metrics after every arrival, in whatever order rows are finished."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.loggers.readings import LearnerReadings
from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import over_arrivals


def row(arrival: int, cells: dict[str, float | None]) -> dict[str, Any]:
    told = [{"task": task, "score": score} for task, score in cells.items()]
    return {
        "event": "row",
        "job": f"evaluate/x/{arrival}",
        "arrival": arrival,
        "cells": told,
        "growth": None,
        "seconds": 1.0,
    }


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[str], set[int], list[list[float | None]], list[int]]:
    """Tasks, those whose fit failed, R [T, T], maybe with tasks to come, and an order in which rows are finished."""
    tasks = [f"task{i}" for i in range(draw(st.integers(1, 6)))]
    failed = draw(st.sets(st.sampled_from(range(len(tasks))), max_size=len(tasks)))
    score = st.floats(-1, 1, allow_subnormal=False)
    square = draw(st.booleans())
    cells = [
        [None if (j in failed and j <= t) or (j > t and not square) else draw(score) for j in range(len(tasks))]
        for t in range(len(tasks))
    ]
    return tasks, failed, cells, draw(st.permutations(range(1, len(tasks) + 1)))


@given(streams())
def test_they_are_the_metrics_after_each_arrival(
    stream: tuple[list[str], set[int], list[list[float | None]], list[int]],
) -> None:
    tasks, failed, cells, finished = stream
    figures, found = LearnerReadings(tasks), dict[int, dict[str, float]]()
    for arrival in finished:
        known = {task: x for task, x in zip(tasks, cells[arrival - 1], strict=True) if x is not None}
        for event, readings in figures.take(row(arrival, known)):
            (reading,) = readings
            assert reading.at == event["arrival"] == len(found) + 1, "in order of arrival, each once"
            found[reading.at] = dict(reading.values)
    assert len(found) == len(tasks)
    kept = [[None if j > t else x for j, x in enumerate(line)] for t, line in enumerate(cells)]
    nothing = tuple([None] * len(tasks))
    matrix = AccuracyMatrix(tuple(tasks), nothing, tuple(map(tuple, kept)), tuple(nothing for _ in tasks))
    for name in ("average_accuracy", "forgetting_chaudhry"):
        for arrival, expected in enumerate(over_arrivals(name, matrix), start=1):
            if arrival - 1 in failed:
                assert name not in found[arrival]
            else:
                assert found[arrival].get(name) == (None if expected is None else pytest.approx(expected, abs=1e-12))
    for arrival, values in found.items():
        scores = {name.removeprefix("score/"): x for name, x in values.items() if name.startswith("score/")}
        assert scores == {task: x for task, x in zip(tasks, cells[arrival - 1], strict=True) if x is not None}


def test_certified_cells_count_though_they_are_not_told() -> None:
    figures = LearnerReadings(["a", "b", "c"])
    rows = [row(1, {"a": 0.5}), row(2, {"a": 0.5, "b": 0.9}), row(3, {"a": 0.5, "c": 0.1})]
    for event in rows:
        assert len([*figures.take(event)]) == 1
    assert figures.last["average_accuracy"] == pytest.approx(0.5)
    assert figures.last["forgetting_chaudhry"] == 0
    again = {**rows[-1], "job": "audit/x/3"}
    assert [*figures.take(again)] == []


def test_a_score_that_is_none_leaves_the_metrics_of_that_row_open() -> None:
    figures = LearnerReadings(["a", "b", "c"])
    readings = [
        dict(reading.values)
        for event in (row(1, {"a": 0.8}), row(2, {"a": None, "b": 0.5}), row(3, {"a": 0.2, "b": 0.5, "c": 0.5}))
        for _, (reading,) in figures.take(event)
    ]
    assert readings[1] == {"score/b": 0.5, "evaluate_seconds": 1.0}
    assert readings[2]["forgetting_chaudhry"] == pytest.approx(0.3)


def test_a_fit_epoch_by_epoch() -> None:
    fit = {
        "event": "fit",
        "task": "a",
        "arrival": 3,
        "seconds": 2.0,
        "parameters": 7,
        "head_parameters": 4,
        "bytes": 99,
    }
    fit |= {"epochs": [0.5, float("nan")], "losses": [1.0, 0.9], "parameters": 7, "head_parameters": 4, "bytes": 99}
    ((_, (whole, first, second)),) = LearnerReadings(["x", "y", "a"]).take(fit)
    assert (whole.axis, whole.at) == ("arrival", 3)
    assert whole.values == {"train_seconds": 2.0, "parameters": 7, "head_parameters": 4, "bytes": 99}
    assert [(r.axis, r.at) for r in (first, second)] == [("epoch", 1), ("epoch", 2)]
    assert first.values == {"train_loss/a": 1.0, "validation_score/a": 0.5}
    assert second.values == {"train_loss/a": 0.9}, "what is not finite is left out"
    failed = {"event": "fit", "task": "a", "arrival": 3, "seconds": 2.0, "failed": {"message": "nan"}}
    ((_, (only,)),) = LearnerReadings(["x", "y", "a"]).take(failed)
    assert only.values == {"train_seconds": 2.0}
