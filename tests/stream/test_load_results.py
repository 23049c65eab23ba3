"""Typed results: they read every document of results.json, give it back as it was, and make frames of it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.results.results import Results, UnknownLearner, load_results
from tasks.errors import InputError
from tests.report.fake_results import HOULSBY26, LEARNERS, make_results

SCORES = st.none() | st.floats(-1, 1, width=32)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Results of a stream at any point, with cells missing anywhere and fields that nobody knows yet."""
    order = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
    done = draw(st.integers(0, len(order)))
    learners = draw(st.lists(st.sampled_from(list(LEARNERS)), min_size=1, max_size=3, unique=True))
    document = make_results(order, learners, done)
    for record in document["learners"].values():
        record["R"] = [draw(st.lists(SCORES, min_size=len(order), max_size=len(order))) for _ in range(done + 1)]
        record["provenance"] = [[None if cell is None else "measured" for cell in row] for row in record["R"]]
        record["later"] = draw(st.none() | st.dictionaries(st.text(max_size=3), st.integers()))
        for optional in draw(st.sets(st.sampled_from(["metrics", "cost", "retention", "spec", "provenance"]))):
            record.pop(optional)
    return document | {"new": draw(st.lists(st.integers(), max_size=2))}


@settings(max_examples=60, deadline=None)
@given(documents())
def test_a_document_comes_back_as_it_was_and_every_cell_is_in_matrix_and_frame(
    document: dict[str, Any],
) -> None:
    results = Results.from_dict(document)
    assert json.dumps(results.as_dict()) == json.dumps(document)
    assert Results.from_dict(results.as_dict()) == results
    frame = results.frame()
    for name, record in document["learners"].items():
        learner, tasks = results[name], len(document["order"])
        assert learner.matrix.shape == learner.provenance.shape == (tasks + 1, tasks)
        assert learner.matrix.dtype == np.float64
        cells = {
            (arrival, task): score
            for arrival, row in enumerate(record["R"])
            for task, score in zip(document["order"], row, strict=True)
            if score is not None
        }
        for (arrival, task), score in cells.items():
            assert learner.matrix[arrival, document["order"].index(task)] == score
        assert np.count_nonzero(~np.isnan(learner.matrix)) == len(cells)
        own = frame[frame["learner"] == name]
        rows = zip(own["arrival"], own["task"], own["score"], strict=True)
        assert {(arrival, task): score for arrival, task, score in rows} == cells
    assert list(results.summary()["learner"]) == list(results) == list(document["learners"])


def test_the_parts_are_typed() -> None:
    document = make_results(HOULSBY26[:3], ["adapter:64", "full:sequential"])
    record = document["learners"]["adapter:64"]
    record["failures"] = [{"task": "cola", "arrival": 1, "step": 3, "type": "Diverged", "message": "nan"}]
    results = Results.from_dict(document)
    learner = results["adapter:64"]
    assert learner.metrics["average_accuracy"] == record["metrics"]["average_accuracy"]
    assert learner.cost.growth == tuple(record["cost"]["growth"])
    assert (learner.retention.verified, learner.retention.cells_measured) == (True, 6)
    assert (learner.failures[0].task, learner.failures[0].step) == ("cola", 3)
    assert (learner.arrivals, learner.counted, learner.sharing, learner.spec) == (3, 3, "isolated", "adapter:64")
    assert learner.trained_share(results.backbone.parameters) == pytest.approx(604_800 / 22_700_000)
    assert learner.provenance[1].tolist() == ["measured", "", ""]
    assert (results.tasks["cola"].metric, results.tasks["cola"].test) == ("matthews", 1043)
    assert dict(results.items())["full:sequential"] is results["full:sequential"]
    assert len(results) == 2


def test_frames_have_plain_columns() -> None:
    results = Results.from_dict(make_results(HOULSBY26[:2], ["head"]))
    frame = results.frame()
    assert list(frame.columns) == ["learner", "arrival", "task", "score", "n", "provenance"]
    assert frame[["learner", "arrival", "task", "n", "provenance"]].values.tolist() == [
        ["head", 1, "cola", 1043, "measured"],
        ["head", 2, "cola", 1043, "measured"],
        ["head", 2, "sst2", 1043, "measured"],
    ]
    summary = results.summary()
    assert isinstance(summary, pandas.DataFrame)
    assert summary["average"][0] == results["head"].metrics["average_accuracy"]
    assert {"forgetting", "bwt", "growth", "verified", "learning_accuracy"} <= {*summary.columns}
    empty = Results.from_dict(make_results([], []))
    assert (len(empty.frame()), len(empty.summary()), empty.arrivals) == (0, 0, 0)


def test_a_name_that_is_not_there_is_our_error_and_a_key_error() -> None:
    results = Results.from_dict(make_results(HOULSBY26[:2], ["adapter:64"]))
    with pytest.raises(InputError, match="did you mean adapter:64"):
        results["adapter:46"]
    with pytest.raises(KeyError):
        results["adapter:46"]
    assert "adapter:46" not in results
    assert results.get("adapter:46") is None
    assert str(UnknownLearner("not here")) == "not here"


def test_it_shows_itself_in_a_few_lines() -> None:
    results = Results.from_dict(make_results(HOULSBY26[:2], ["adapter:64", "full:sequential"]))
    assert len(repr(results).splitlines()) == 4
    assert "adapter:64" in repr(results)
    hostile = Results.from_dict(make_results(HOULSBY26[:2], ["head"]) | {"suite": "<script>"})
    assert "<script>" not in hostile._repr_html_()


def broken(change: dict[str, Any], *path: str) -> dict[str, Any]:
    document = copy.deepcopy(make_results(HOULSBY26[:2], ["head"]))
    place = document
    for name in path:
        place = place[name]
    place |= change
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "another version"),
        (broken({"schema": 2}), "another version"),
        ({"schema": 1, "order": []}, "no tasks and no learners"),
        (broken({"learners": []}), "learners"),
        (broken({"order": "cola"}), "order"),
        (broken({"tasks": {"cola": 3}}), "tasks/cola"),
        (broken({"head": None}, "learners"), "learners/head"),
        (broken({"R": [[0.5, 0.5, 0.5]]}, "learners", "head"), "at most 3 rows of 2 scores"),
        (broken({"R": [0.5]}, "learners", "head"), "learners/head/R"),
        (broken({"cost": 1}, "learners", "head"), "learners/head/cost"),
    ],
)
def test_a_damaged_document_is_one_clear_error(document: Any, words: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=words) as raised:
        load_results(tmp_path)
    assert str(tmp_path / "results.json") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_no_number_is_missing() -> None:
    document = broken({"R": [[None, True], ["0.5", float("nan")], [0.5, 1]]}, "learners", "head")
    learner = Results.from_dict(document)["head"]
    assert np.array_equal(learner.matrix, [[np.nan, np.nan], [np.nan, np.nan], [0.5, 1.0]], equal_nan=True)


def test_no_folder_or_torn_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run here"):
        load_results(tmp_path / "nowhere")
    (tmp_path / "results.json").write_text('{"schema": 1,')
    with pytest.raises(InputError, match="damaged results"):
        load_results(str(tmp_path))


def test_pandas_is_imported_for_frames_only() -> None:
    words = "import sys, stream.results.results; print('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], capture_output=True, text=True).stdout.strip() == "False"
