"""Every registered task: its facts hold together, and its data loads where it is at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tasks import SUITES, TASKS, InputError, Task, TaskData, open_source, resolve_suite
from tasks.suite import check_task_name

SHARED = Path(__file__).parents[3] / "shared"
DATA = Path(os.environ.get("TASKSTREAM_DATA") or SHARED / "data")
LM15 = Path(os.environ.get("TASKSTREAM_LM15") or SHARED / "lm15-data")
METRICS = {"accuracy", "f1", "matthews", "spearman"}


@cache
def load(name: str) -> TaskData:
    benchmark = name in TASKS and name not in SUITES["houlsby26"]
    folder, variable = (LM15, "TASKSTREAM_LM15") if benchmark else (DATA, "TASKSTREAM_DATA")
    if not folder.is_dir():
        pytest.skip(f"no data of the tasks here: set {variable} to a folder with a folder a task")
    source = open_source(f"folder:{folder}")
    if name not in source.names():
        pytest.skip(f"no data of {name} in the folder of the tasks")
    return source.load(name)


@pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))
def test_facts(task: Task) -> None:
    assert check_task_name(task.name) == task.name
    assert resolve_suite(task.name) == (task.name, (task.name,))
    assert any(task.name in names for names in SUITES.values())
    assert task.metric in METRICS
    assert (task.kind == "regression") == (task.metric == "spearman")
    assert bool(task.positive) == (task.metric == "f1")
    if task.hub is not None and task.kind != "single":
        assert task.hub.text_b is not None
    assert (task.paper is None) != (task.classes is None)
    if task.paper is not None:
        assert min(task.paper.train, task.paper.validation, task.paper.test) > 0
        assert all(0 < score < 100 for score in (task.paper.fine_tune, task.paper.adapters))
        assert (task.paper.classes is None) == (task.kind == "regression")
        assert task.outputs == (task.paper.classes or 1)


@pytest.mark.parametrize("name", TASKS)
def test_data(name: str) -> None:
    data = load(name)
    splits = (data.train, data.validation, data.test)
    assert min(map(len, splits)) > 0
    for split in splits:
        assert len(split) == len(split.text) == len(split.target)
        assert (split.text_b is None) == (TASKS[name].kind == "single")
        assert all(text.strip() for text in split.text)
    assert not set(zip(data.train.text, data.train.text_b or data.train.text, strict=True)) & set(
        zip(data.validation.text, data.validation.text_b or data.validation.text, strict=True)
    ), "texts straddle train and validation"
    if TASKS[name].kind == "regression":
        assert data.train.target.dtype == np.float32
    else:
        assert data.train.target.dtype == np.int64
        assert set(data.train.target.tolist()) == set(range(data.task.outputs))
    if TASKS[name].metric == "f1":
        assert data.task.labels is not None
        assert len(set(data.task.labels) & set(TASKS[name].positive)) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("cf_political_audience", "cf_political_bias", "cf_political_message"),
        ("cf_progressive_opinion", "cf_progressive_stance"),
    ],
)
def test_tasks_that_share_texts_share_splits(names: tuple[str, ...]) -> None:
    first, *others = (load(name) for name in names)
    for other in others:
        assert set(other.test.text) == set(first.test.text)
        assert set(other.train.text) == set(first.train.text)


def test_a_folder_that_the_table_does_not_know_is_a_task() -> None:
    data = load("complaints_product")
    assert (data.task.kind, data.task.metric, data.task.outputs) == ("single", "accuracy", 11)
    with pytest.raises(InputError, match="did you mean"):
        open_source(f"folder:{DATA}").load("complaints_products")
