"""The simulated world through the real command: shown, priced, run with its ceiling reported, refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream.cli.show_task import ROWS
from tests.runs import as_arguments, call, read_results

TINY = {
    "source": "simulated", "suite": "cola,stsb", "learners": "majority,head", "epochs": 1, "max_length": 24,
    "train_examples": 40, "test_examples": 20, "workers": 1,
}  # fmt: skip


def run(backbone: Path, out: Path, **more: Any) -> tuple[int, str, dict[str, Any]]:
    settings = {**TINY, "backbone": backbone, "out": out, **more}
    answer = call("run", *as_arguments(settings), "--display", "plain")
    assert answer.err == ""
    return answer.code, answer.out, read_results(out)


def test_a_run_reports_the_ceiling_beside_the_scores(
    tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, results = run(tiny_backbone, tmp_path / "run")
    assert code == 0
    facts = results["tasks"]
    assert {name: (task["train"], task["validation"], task["test"]) for name, task in facts.items()} == {
        "cola": (40, 20, 20),
        "stsb": (40, 20, 20),
    }
    assert facts["cola"]["ceiling"] == pytest.approx(0.97)
    assert facts["stsb"]["ceiling"] == pytest.approx(0.97)
    assert any("simulated" in note for note in facts["cola"]["notes"])
    lines = out[out.index("Scores by task") :].splitlines()
    heading = next(line for line in lines if line.startswith("task"))
    assert heading.split()[:3] == ["task", "metric", "ceiling"]
    assert next(line for line in lines if " cola " in line).split()[2:4] == ["MCC", "97.0"]
    assert next(line for line in lines if line.startswith("mean")).split()[1] == "97.0"
    assert max(map(len, lines)) <= 80


def test_a_stream_of_fresh_tasks_is_continued_by_a_longer_one(tiny_backbone: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(tiny_backbone, out, suite="simulated:2:seed=4")[0] == 0
    code, _, results = run(tiny_backbone, out, suite="simulated:3:seed=4")
    assert code == 0
    assert results["order"] == ["sim4_50_0000", "sim4_50_0001", "sim4_50_0002"]
    assert results["suite"] == "simulated:3:seed=4"
    assert all(0.5 < task["ceiling"] < 1 for task in results["tasks"].values())
    events = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    fits = [event["task"] for event in events if event["event"] == "fit" and event["learner"] == "head"]
    assert fits == results["order"], "each task is fitted once"


def test_cost_of_fresh_tasks() -> None:
    answer = call("cost", "--backbone", "bert-base-uncased", "--suite", "rte,simulated:20", "--learners", "head",
                  "--display", "json")  # fmt: skip
    document = json.loads(answer.out)
    assert document["tasks"] == 21
    assert set(document["learners"]["head"]["head_parameters"].values()) > {2 * 769}


@pytest.mark.parametrize(
    ("name", "second"), [("cola", False), ("mrpc", True), ("stsb", True), ("complaints_issue", False)]
)
def test_twin_and_real_task_are_shown_side_by_side(monkeypatch: pytest.MonkeyPatch, name: str, second: bool) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    document = json.loads(call("show", "task", name, "--display", "json").out)
    real, twin = document["real"], document["simulated"]
    assert {*real, *twin} == {*ROWS, "best method", "ceiling"}
    for fact in ("kind", "metric", "classes"):
        assert real[fact] == twin[fact]
    assert twin["train"] == min(real["train"], 2000)  # the default, where the real task has as many
    assert twin["clarity"] == pytest.approx(0.97)
    assert twin["ceiling"] > real["best score"]  # what is hard is the mechanism, not wrong labels
    assert twin["mean characters"] == pytest.approx(real["mean characters"], rel=0.2)
    assert len(document["examples"]) == 6
    assert all(("text_b" in row) == second for row in document["examples"])
    text = call("show", "task", name, "--display", "plain").out
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if "real" in line).split() == ["real", "simulated"]
    assert all(any(line.startswith(row) for line in lines) for row in ROWS if twin.get(row) is not None)
    flowing = " ".join(text.split())
    for number, row in enumerate(document["examples"], start=1):
        assert f"example {number}, label {row['label']}" in flowing
        assert row["text"][:60].strip() in flowing
        assert ("noise" in lines_of_example(text, number)) == (row["label"] != row["meaning"])


def lines_of_example(text: str, number: int) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"example {number},"))


def test_a_fresh_task_is_shown() -> None:
    document = json.loads(call("show", "task", "sim0_50_0007", "--display", "json").out)
    assert document["name"] == "sim0_50_0007"
    assert "real" not in document
    text = call("show", "task", "sim0_50_0007").out
    assert document["title"] in " ".join(text.split())
    assert "clarity" in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"suite": "simulated:0"}, ("bad value of N", "from 1 to 100,000")),
        ({"suite": "simulated:5:relatedness=2"}, ("bad value of relatedness", "from 0 to 1")),
        ({"suite": "simulated:5:relatednes=1"}, ("unknown argument", "did you mean relatedness?")),
        ({"source": "simulated:scale=-1"}, ("bad value of scale", "from 1e-06 to 100")),
        ({"source": "simulated:size=3"}, ("unknown argument 'size'", "scale")),
        ({"source": "simulated:difficulty=2"}, ("bad value of difficulty", "from 0 to 1", "'2'")),
        ({"source": "simulated:noise=papr"}, ("bad value of noise", "from 0 to 1, or paper", "'papr'")),
        ({"suite": "colla"}, ("unknown task 'colla'", "did you mean cola or copa?")),
    ],
)
def test_bad_settings(tiny_backbone: Path, tmp_path: Path, settings: dict[str, str], words: tuple[str, ...]) -> None:
    given = {**TINY, "backbone": tiny_backbone, "out": tmp_path / "run", **settings}
    answer = call("run", *as_arguments(given), "--display", "none")
    assert answer.code == 2
    (line,) = answer.errors
    assert all(word in line for word in words), line
    assert not (tmp_path / "run").exists()


def test_fresh_tasks_of_another_source(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    given = {
        **TINY,
        "source": f"folder:{tiny_tasks}",
        "suite": "simulated:3",
        "backbone": tiny_backbone,
        "out": tmp_path,
    }
    answer = call("run", *as_arguments(given), "--display", "none")
    assert answer.code == 2
    assert answer.errors == [
        "error: suite simulated:3: only the simulated source draws fresh tasks; give --source simulated"
    ]
    answer = call("show", "task", "sim0_50_7")
    assert (answer.code, len(answer.errors)) == (2, 1)
