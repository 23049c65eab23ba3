"""Avalanche's evaluator and our metrics on the same stream: which of theirs is which of ours.

On a run, R is measured twice: by Avalanche's evaluator, and by ours of the weights as they are after each arrival. For
any R at all, the helpers in which Avalanche keeps values are given it cell by cell.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics, bwt_metrics, forgetting_metrics
from avalanche.evaluation.metrics.forgetting_bwt import BWT, Forgetting
from avalanche.evaluation.metrics.forward_transfer import ForwardTransfer
from avalanche.evaluation.metrics.mean import Mean
from avalanche.logging import TextLogger
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Naive
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learners.delta.delta import Delta
from learners.specification.family import parse_learner
from stream.avalanche import TextBenchmark, houlsby26
from stream.execution.evaluate_job import evaluate
from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import compute_all, metric, over_arrivals
from tests.worlds import save_task

ROUNDING = 1e-12  # theirs are sums of products with weights, divided; ours are exact sums
SIZES = {"sms_spam": 240, "colours": 300, "rte": 180}  # rows; a tenth of them are tested on
Said = dict[str, float]


@dataclass(frozen=True)
class Run:
    """What Avalanche said after each arrival, of tasks so far and of all, and R as our evaluator finds it."""

    so_far: list[Said]
    of_all: list[Said]
    matrix: AccuracyMatrix
    rows: list[int]  # tested on, of each task


def measured(benchmark: TextBenchmark, model: Any) -> tuple[float, ...]:
    """The accuracy of every task by our evaluation, of a model's weights as a Delta; a row of R."""
    body = {name: tensor for name, tensor in model.state_dict().items() if name.startswith("backbone.")}
    learner = parse_learner("full:sequential", {})
    found = []
    for label, each in enumerate(benchmark.tasks):
        head = {f"head.{name}": tensor for name, tensor in model.heads[str(label)].state_dict().items()}
        delta = Delta({name: tensor.clone() for name, tensor in {**body, **head}.items()})
        score = evaluate(benchmark.backbone, learner, delta, each.task, each.test).score
        assert score is not None
        found.append(score)
    return tuple(found)


@pytest.fixture(scope="module")
def run(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("metrics")
    for name, rows in SIZES.items():
        kind = "pair" if name == "rte" else "single"
        save_task(folder, name, classes=3 if name == "colours" else 2, rows=rows, kind=kind)
    benchmark = houlsby26(
        suite=[*SIZES], order=[*SIZES], source=f"folder:{folder}", backbone=str(tiny_backbone), max_length=24
    )
    torch.manual_seed(3)  # some accuracy falls later, as `test_the_run_forgets` checks
    model, streams = benchmark.model(), benchmark.to_avalanche()
    evaluator = EvaluationPlugin(
        accuracy_metrics(experience=True, stream=True, trained_experience=True),
        forgetting_metrics(experience=True, stream=True),
        bwt_metrics(experience=True, stream=True),
        loggers=[TextLogger(io.StringIO())],
    )
    strategy = Naive(
        model=model, optimizer=torch.optim.AdamW(model.parameters(), lr=6e-3), criterion=benchmark.loss,
        train_mb_size=16, train_epochs=4, eval_mb_size=7, evaluator=evaluator,
    )  # fmt: skip
    so_far, of_all, rows = [], [], []
    for arrival, experience in enumerate(streams.train_stream, start=1):
        strategy.train(experience)
        so_far.append({**strategy.eval(streams.test_stream[:arrival])})
        of_all.append({**strategy.eval(streams.test_stream)})
        rows.append(measured(benchmark, model))
    matrix = AccuracyMatrix(benchmark.order, rows[0], tuple(rows))
    return Run(so_far, of_all, matrix, [len(each.test) for each in benchmark.tasks])


def said(values: Said, name: str, place: str = "") -> float:
    """The one value of this name, by Avalanche's `NAME/eval_phase/test_stream[/TaskLLL[/ExpEEE]]`."""
    prefix = f"{name}/eval_phase/test_stream"
    (found,) = (value for key, value in values.items() if key.startswith(prefix) and key.endswith(place))
    return found


def test_the_run_forgets(run: Run) -> None:
    """Else nothing would be compared below."""
    assert min(value for value in compute_all(run.matrix).values() if value is not None) < 0
    assert len(set(run.rows)) == 3


def test_accuracy_of_an_experience_is_a_cell_of_R(run: Run) -> None:
    for row, values in zip(run.matrix.rows, run.of_all, strict=True):
        for label, cell in enumerate(row):
            place = f"Task{label:03}/Exp{label:03}"
            assert said(values, "Top1_Acc_Exp", place) == pytest.approx(cell, rel=0, abs=ROUNDING)


@pytest.mark.parametrize(("theirs", "ours"), [("StreamForgetting", "forgetting_avalanche"), ("StreamBWT", "bwt_gem")])
def test_averages_of_the_stream(run: Run, theirs: str, ours: str) -> None:
    """After every arrival, whether Avalanche is asked for the tasks so far or for all."""
    expected = over_arrivals(ours, run.matrix)
    assert expected[0] is None
    for values in (run.so_far, run.of_all):
        found = [said(each, theirs) for each in values]
        assert found[0] == 0.0  # of no task; ours is not defined
        np.testing.assert_allclose(found[1:], np.array(expected[1:], float), rtol=0, atol=ROUNDING)


def test_forgetting_and_transfer_of_an_experience(run: Run) -> None:
    rows = np.array(run.matrix.rows)
    for label in range(2):  # the last has had no time to be forgotten
        place, change = f"Task{label:03}/Exp{label:03}", rows[-1, label] - rows[label, label]
        assert said(run.of_all[-1], "ExperienceBWT", place) == pytest.approx(change, rel=0, abs=ROUNDING)
        assert said(run.of_all[-1], "ExperienceForgetting", place) == pytest.approx(-change, rel=0, abs=ROUNDING)


def test_accuracy_of_the_stream_is_over_rows_and_not_over_tasks(run: Run) -> None:
    """So it is `average_accuracy` only of tasks tested on equally many rows."""
    for arrival, (row, values) in enumerate(zip(run.matrix.rows, run.so_far, strict=True), start=1):
        expected = np.average(row[:arrival], weights=run.rows[:arrival])
        found = said(values, "Top1_Acc_Stream", f"Task{arrival - 1:03}")  # named after the task evaluated last
        assert found == pytest.approx(expected, rel=0, abs=ROUNDING)
    assert abs(expected - metric("average_accuracy").compute(np.array(run.matrix.rows), np.zeros(3))) > 1e-3
    trained = said(run.of_all[1], "Accuracy_On_Trained_Experiences", "Task002")
    assert trained == pytest.approx(np.average(run.matrix.rows[1][:2], weights=run.rows[:2]), rel=0, abs=ROUNDING)


@st.composite
def matrices(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(2, 6))
    cells = draw(arrays(np.float64, (count + 1, count), elements=st.floats(-1, 1)))
    return cells[1:], cells[0]


def average(values: list[float]) -> float:
    mean = Mean()
    for value in values:
        mean.update(value, weight=1)
    return float(mean.result())


@given(matrices(), st.booleans())
def test_any_matrix_of_scores(stream: tuple[np.ndarray, np.ndarray], square: bool) -> None:
    """Forgetting, backward and forward transfer kept as Avalanche's plugins keep them; `square`: tasks still to come
    are evaluated too."""
    scores, before = stream
    count = len(scores)
    forgetting, backward, forward = Forgetting(), BWT(), ForwardTransfer()
    for task, score in enumerate(before):
        forward.update(task, score, initial=True)
    matrix = AccuracyMatrix(tuple(map(str, range(count))), tuple(before), tuple(map(tuple, scores)))
    for arrival, row in enumerate(scores):
        for kept in (forgetting, backward):
            kept.reset_last()
            for task in range(count if square else arrival + 1):
                kept.update(task, row[task], initial=task == arrival)
        if arrival + 1 < count:
            forward.update(arrival + 1, row[arrival + 1])
        lost = forgetting.result()
        assert lost == {task: scores[task, task] - row[task] for task in range(arrival)}
        assert backward.result() == {task: -value for task, value in lost.items()}
        ours = over_arrivals("forgetting_avalanche", matrix)[arrival]
        assert (ours or 0.0) == pytest.approx(average([*lost.values()]), rel=0, abs=ROUNDING)
        ours = over_arrivals("bwt_gem", matrix)[arrival]
        assert (ours or 0.0) == pytest.approx(average([*backward.result().values()]), rel=0, abs=ROUNDING)
    ours = metric("fwt_gem").compute(scores, before)
    assert ours == pytest.approx(average([*forward.result().values()]), rel=0, abs=ROUNDING)
