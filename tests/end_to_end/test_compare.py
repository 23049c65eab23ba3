"""`taskstream compare`: what two runs have in common and what not, to the bit where both ledgers tell."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stream import run
from stream.results.difference import Side, difference
from stream.results.results import Results
from tests.report.fake_results import make_results
from tests.runs import TASKS, call, tiny_settings

LEARNERS = ("adapter:4", "full:sequential")
CELLS = 3 + 6  # before training, and the lower triangle of three tasks


def compared(a: Path, b: Path) -> dict[str, Any]:
    answer = call("compare", str(a), str(b), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document: dict[str, Any] = json.loads(answer.out)
    return document


def verdict(out: str) -> str:
    """The last paragraph, on one line."""
    return " ".join(out.rstrip().split("\n\n")[-1].split())


@pytest.fixture(scope="module")
def runs(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs that differ in one thing each."""
    folder = tmp_path_factory.mktemp("runs")
    changed: dict[str, dict[str, Any]] = {
        "first": {},
        "again": {},
        "seed": {"seed": 1},
        "order": {"order": "rte,colours,sms_spam"},
        "fewer": {"suite": ",".join(TASKS[:2]), "learners": "adapter:4,head"},
    }
    for name, more in changed.items():
        run(**{**tiny_settings(tiny_tasks, tiny_backbone, folder / name, learners=",".join(LEARNERS)), **more})
    return {name: folder / name for name in changed}


def test_the_same_twice(runs: dict[str, Path]) -> None:
    document = compared(runs["first"], runs["again"])
    assert document["same"] == dict.fromkeys(("settings", "inputs", "learners", "tasks", "cells"), True)
    for found in document["cells"].values():
        assert (found["compared"], found["equal"], found["differing"]) == (CELLS, CELLS, [])
        assert found["logits"] == {"told": CELLS, "equal": CELLS}
        assert found["deltas"] == {"told": 3, "equal": 3}
    assert {entry["difference"] for name in LEARNERS for entry in document["metrics"][name].values()} <= {0.0, None}
    out = call("compare", str(runs["first"]), str(runs["again"])).out
    told = (
        "all 18 common cells of R",
        "18 of 18 logits bitwise equal",
        "same settings, inputs, learners and tasks",
    )
    assert verdict(out) == f"equal: {'; '.join(told)}"


def test_another_seed(runs: dict[str, Path]) -> None:
    document = compared(runs["first"], runs["seed"])
    assert [(entry["name"], entry["a"], entry["b"]) for entry in document["settings"]] == [("seed", 0, 1)]
    assert not document["same"]["cells"]
    scores = {name: [json.loads((runs[run] / "results.json").read_text())["learners"][name]["R"] for run in
                     ("first", "seed")] for name in LEARNERS}  # fmt: skip
    for name, (ours, theirs) in scores.items():
        found = document["cells"][name]
        place = {task: index for index, task in enumerate(TASKS)}
        expected = [
            (arrival, task) for arrival in range(4) for task in TASKS
            if ours[arrival][place[task]] != theirs[arrival][place[task]]
        ]  # fmt: skip
        assert sorted((cell["arrival_a"], place[cell["task"]]) for cell in found["differing"]) == sorted(
            (arrival, place[task]) for arrival, task in expected
        )
        assert found["differ"] == len(expected) > 0
        assert found["deltas"] == {"told": 3, "equal": 0}
        for cell in found["differing"]:
            assert cell["difference"] == cell["b"] - cell["a"]
        figures = document["metrics"][name]["average_accuracy"]
        assert figures["difference"] == figures["b"] - figures["a"]


def test_in_another_order_each_task_is_compared_on_the_day_it_was_learned(runs: dict[str, Path]) -> None:
    document = compared(runs["first"], runs["order"])
    assert document["same_order_for"] == 0
    isolated, sequential = (document["cells"][name] for name in LEARNERS)
    assert isolated["compared"] == sequential["compared"] == 3 + 3
    assert isolated["logits"] == {"told": 6, "equal": 6}, "an isolated learner does not depend on the order"
    assert isolated["deltas"] == {"told": 3, "equal": 3}
    assert sequential["logits"]["equal"] < 6
    assert "score right after training" in " ".join(call("compare", str(runs["first"]), str(runs["order"])).out.split())


def test_what_only_one_has(runs: dict[str, Path]) -> None:
    document = compared(runs["first"], runs["fewer"])
    assert document["learners"] == {"both": ["adapter:4"], "only_a": ["full:sequential"], "only_b": ["head"]}
    assert document["tasks"] == {"both": list(TASKS[:2]), "only_a": [TASKS[2]], "only_b": []}
    assert document["cells"]["adapter:4"]["logits"] == {"told": 2 + 3, "equal": 2 + 3}
    out = call("compare", str(runs["first"]), str(runs["fewer"])).out
    assert "only learners of A: full:sequential" in out
    assert verdict(out).startswith("equal: all 5 common cells of R; 5 of 5 logits bitwise equal; different")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("other", ["seed", "order", "fewer"])
def test_the_page(runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, width: int, other: str) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for pair in ((runs["first"], runs[other]), (runs[other], runs["first"])):
        answer = call("compare", *map(str, pair))
        assert (answer.code, answer.err) == (0, "")
        assert max(map(len, answer.out.splitlines())) <= width
        shown = answer.out
        assert all(title in shown for title in ("Settings", "Inputs", "Cells of R", "Metrics", "Cost", "B - A"))


def test_unfinished_runs_without_a_ledger(tmp_path: Path) -> None:
    order = ["cola", "sst2", "mrpc", "rte"]
    for name, arrivals in (("a", 2), ("b", 4)):
        (tmp_path / name).mkdir()
        results = make_results(order, ["adapter:64", "full:sequential"], arrivals)
        (tmp_path / name / "results.json").write_text(json.dumps(results))
    document = compared(tmp_path / "a", tmp_path / "b")
    assert (document["a"]["arrivals"], document["b"]["arrivals"]) == (2, 4)
    for found in document["cells"].values():
        assert (found["compared"], found["differ"], found["logits"]["told"]) == (1 + 2, 0, 0)
    out = call("compare", str(tmp_path / "a"), str(tmp_path / "b")).out
    assert "2 of 4 arrivals" in out
    assert "no ledger" in out


def test_a_score_that_one_lacks_differs_and_one_that_neither_has_does_not_count() -> None:
    def side(*rows: list[float | None]) -> Side:
        results = make_results(["cola", "rte"], ["head"])
        results["learners"]["head"]["R"] = [[None, None], *rows]
        return Side("", Results.from_dict(results), {})

    found = difference(side([0.5, 0.1], [None, 0.5]), side([0.5, None], [0.25, 0.5])).cells["head"]
    assert (found.compared, found.equal, found.largest) == (3, 2, None)
    (cell,) = found.differing
    assert (cell.task, cell.arrival_a, cell.a, cell.b, cell.difference) == ("cola", 2, None, 0.25, None)
    found = difference(side([0.5, None], [None, 0.5]), side([0.5, None], [None, 0.75])).cells["head"]
    assert (found.compared, found.equal, found.largest) == (2, 1, 0.25)


def test_bad_input(runs: dict[str, Path], tmp_path: Path) -> None:
    assert call("compare", str(runs["first"]), str(tmp_path)).code == 2
    shutil.copytree(runs["first"], tmp_path / "copy")
    ledger = tmp_path / "copy" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"head"', b'"tail"').replace(b'"epochs": 1', b'"epochs": 2'))
    answer = call("compare", str(runs["first"]), str(tmp_path / "copy"))
    assert answer.code == 2
    assert "altered" in answer.err
    (tmp_path / "copy" / "results.json").write_text('{"schema": 1, "order": []}')
    ledger.unlink()
    assert call("compare", str(runs["first"]), str(tmp_path / "copy")).code == 2
