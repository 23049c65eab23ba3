"""The studies of scripts/experiments at a tiny size, through their command lines: what they compute and write."""

from __future__ import annotations

import contextlib
import io
import json
import math
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runs import Answer

SCRIPTS = Path(__file__).parents[2] / "scripts" / "experiments"
TINY = ("--train-examples", "8", "--test-examples", "8", "--epochs", "1", "--max-length", "24")


def call(script: str, *arguments: str, scripts: Path = SCRIPTS) -> Answer:
    """`python scripts/experiments/SCRIPT ARGUMENTS` in this process, as importing PyTorch anew takes seconds."""
    out, err, path = io.StringIO(), io.StringIO(), [*sys.path]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", [script, *arguments])
        patch.setattr(sys, "path", [str(scripts), *path])
        patch.delenv("COLUMNS", raising=False)
        try:
            runpy.run_path(str(scripts / f"{script}.py"), run_name="__main__")
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Answer(code, out.getvalue(), err.getvalue())


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def papers(tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    out = tmp_path_factory.mktemp("papers")
    learners = "full:isolated,full:sequential,adapter:64"
    given = ("--suite", "cola,rte", "--backbone", str(tiny_backbone), "--learners", learners, "--seed", "0,1")
    given += ("--validation-examples", "8")
    return out, call("run_study", "order_of_papers", *given, *TINY, "--workers", "1", "--out", str(out))


def test_order_of_papers(papers: tuple[Path, Answer]) -> None:
    out, answer = papers
    assert (answer.code, answer.err) == (0, "")
    document = read(out / "order_of_papers.json")
    runs = [read(out / f"seed{seed}-paper" / "results.json") for seed in range(2)]
    assert [results["seed"] for results in runs] == [0, 1]
    assert runs[0]["tasks"] == runs[1]["tasks"], "seeds share the examples"
    for row in document["rows"]:
        name, told = row["name"], row["facts"]
        means = [sum(results["learners"][name]["R"][-1]) / 2 for results in runs]
        assert told["score"]["mean"] == pytest.approx(sum(means) / 2)
        # n = 2: the deviation is |a - b| / sqrt 2, and t of 0.975 with one degree of freedom is 12.706
        assert told["score"]["half"] == pytest.approx(12.706 * abs(means[0] - means[1]) / 2, rel=1e-4, abs=1e-12)
        assert name in answer.out
    verdicts = {(each["found"].split(" is ")[0], each["claim"]): each["verdict"] for each in document["findings"]}
    memory = "a learner with a Delta per task has perfect memory"
    assert verdicts["adapter:64", memory] == verdicts["full:isolated", memory] == "holds"
    assert any(claim.startswith("over all tasks, adapters are within a point") for _, claim in verdicts)
    assert "(the claim needs BERT weights)" in " ".join(answer.out.split())
    assert not any(claim.startswith("on CoLA and on MNLI, LayerNorm") for _, claim in verdicts)  # it did not run


def test_twins_of_a_run(papers: tuple[Path, Answer], tmp_path: Path) -> None:
    answer = call("twins", "--run", str(papers[0]), "--curves", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    document = read(tmp_path / "twins.json")
    tasks = {row["task"]: row for row in document["tasks"]}
    runs = [read(papers[0] / f"seed{seed}-paper" / "results.json") for seed in range(2)]
    for place, (name, row) in enumerate(tasks.items()):
        last = [[results["learners"][learner]["R"][-1][place] for results in runs] for learner in row["learners"]]
        for told, scores in zip(row["learners"].values(), last, strict=True):
            assert told["score"]["mean"] == pytest.approx(sum(scores) / 2)
        gap = (sum(last[2]) - sum(last[0])) / 2  # adapter:64 minus full:isolated, from values of rows
        assert row["learners"]["adapter:64"]["difference"]["mean"] == pytest.approx(gap), name
        assert row["rows"] == [8, 8, 8]
    assert (tasks["cola"]["paper"]["full"], tasks["rte"]["paper"]["full"]) == (0.605, 0.701)  # Houlsby et al., Table 1
    assert tasks["cola"]["majority"] == 0  # Matthews, of a constant
    assert tasks["cola"]["shared"] is None
    assert tasks["rte"]["shared"] is not None
    fits = [results["learners"]["adapter:64"]["fits"]["rte"]["validation"][0] for results in runs]
    curve = document["curves"]["adapter:64"]["rte"]
    assert (curve["scores"], curve["open"], curve["fits"]) == (
        [pytest.approx(sum(fits) / 2)],
        sum(fit > 0.01 for fit in fits),
        2,
    )
    assert f"rte adapter:64: {50 * sum(fits):.1f}" in answer.out


def test_words_of_a_folder_tell_its_tasks(tiny_tasks: Path, tmp_path: Path) -> None:
    """The class of these tasks is told by a word, so a linear model finds it; their texts have no noise to know of."""
    given = ("--source", f"folder:{tiny_tasks}", "--suite", "sms_spam,colours", "--out", str(tmp_path))
    answer = call("twins", *given, "--train-examples", "100")
    assert (answer.code, answer.err) == (0, "")
    for row in read(tmp_path / "twins.json")["tasks"]:
        assert row["words"] > 0.9 > row["majority"]
        assert (row["ceiling"], row["learners"], row["difficulty"]) == (None, {}, None)


def test_backbone_worth(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "cola", "--backbone", str(tiny_backbone), "--learners", "head", "--out", str(tmp_path))
    answer = call("backbone_worth", *given, *TINY, "--workers", "1")
    assert (answer.code, answer.err) == (0, "")
    ours, others = (read(tmp_path / "runs" / kind / "seed0" / "results.json") for kind in ("pretrained", "random"))
    assert ours["backbone"]["parameters"] == others["backbone"]["parameters"]
    assert ours["backbone"]["id"] != others["backbone"]["id"]
    assert ours["tasks"] == others["tasks"]
    gain = read(tmp_path / "backbone_worth.json")["learners"]["head"]["gain"]["mean"]
    assert gain == pytest.approx(ours["learners"]["head"]["R"][-1][0] - others["learners"]["head"]["R"][-1][0])


def test_thousand_tasks_continues(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--backbone", str(tiny_backbone), *TINY, "--out", str(tmp_path))
    answer = call("thousand_tasks", "--suite", "simulated:2", *given)
    assert answer.code == 2
    assert "too few arrivals" in answer.err
    answer = call("thousand_tasks", "--suite", "simulated:4", *given)
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "thousand_tasks.json")
    assert [line["arrival"] for line in found["arrivals"]] == [1, 2, 3, 4]
    seconds = [line["seconds"] for line in found["arrivals"]]
    # least squares through four points: sum of (x - 2.5) y over 5
    expected = math.fsum((x - 2.5) * y for x, y in enumerate(seconds, start=1)) / 5
    assert found["seconds"]["slope"]["mean"] == pytest.approx(expected)
    stored = [line["stored_bytes"] for line in found["arrivals"]]
    assert stored == sorted(set(stored))
    assert stored[-1] == found["stored_bytes"]


def test_packed_scores(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "cola,rte", "--learners", "head,layernorm", "--backbone", str(tiny_backbone), *TINY)
    answer = call("packed_scores", *given, "--seed", "0-1", "--pack", "2", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "packed_scores.json")["learners"]
    for learner in ("head", "layernorm"):
        rows: dict[str, list[float]] = {}
        for kind, slots in (("single", 1), ("packed", 2)):
            runs = [read(tmp_path / kind / f"seed{seed}-paper" / "results.json") for seed in (0, 1)]
            assert [run["environment"].get("pack", 1) for run in runs] == [slots, slots]
            rows[kind] = [score for run in runs for score in run["learners"][learner]["R"][-1]]
        gaps = [packed - single for packed, single in zip(rows["packed"], rows["single"], strict=True)]
        assert found[learner]["difference"]["mean"] == pytest.approx(sum(gaps) / 4)


@pytest.mark.parametrize("script", ["backbone_worth", "packed_scores", "thousand_tasks", "twins"])
def test_bad_input_and_help(script: str, tiny_backbone: Path, tmp_path: Path) -> None:
    given = () if script == "twins" else ("--backbone", str(tiny_backbone))
    answer = call(script, "--suite", "colla", "--out", str(tmp_path / "out"), *given)
    assert (answer.code, answer.err) == (2, "error: suite: unknown task 'colla'; did you mean cola or copa?\n")
    shown = call(script, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"python scripts/experiments/{script}.py" in shown.out
