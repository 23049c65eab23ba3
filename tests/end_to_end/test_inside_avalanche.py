"""The study that runs our stream inside Avalanche, at a tiny size: its table, its logs, its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.test_experiments import TINY, call, read


def test_inside_avalanche(tiny_backbone: Path, tmp_path: Path) -> None:
    answer = call(
        "inside_avalanche", "--suite", "sst2,rte,cf_airline", "--backbone", str(tiny_backbone), *TINY,
        "--learning-rate", "1e-2", "--mem-size", "6", "--out", str(tmp_path),
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "inside_avalanche.json")
    assert list(found["strategies"]) == ["naive", "ewc", "replay"]
    for name, told in found["strategies"].items():
        assert [len(row) for row in told["R"]] == [3, 3, 3]
        assert len(told["avalanche"]) == 3
        for metric, value in told["avalanche"].items():  # tasks are tested on equally many rows
            assert value == pytest.approx(told["ours"][metric], rel=0, abs=1e-12), metric
        log = (tmp_path / f"{name}.log").read_text(encoding="utf-8")
        assert log.count("Start of training phase") == 3
        assert f"StreamForgetting/eval_phase/test_stream = {told['ours']['forgetting_avalanche']:.4f}" in log
        assert name in answer.out


def test_strategies(tiny_backbone: Path, tmp_path: Path) -> None:
    """Both loops over the same tasks, and what the strategies keep."""
    answer = call(
        "run_study", "strategies", "--suite", "sst2,rte", "--backbone", str(tiny_backbone), *TINY, "--workers", "1",
        "--learners", "head,avalanche:naive,avalanche:replay:mem_size=6", "--out", str(tmp_path),
    )  # fmt: skip
    assert (answer.code, answer.err) == (0, "")
    answer = call("both_loops", "--run", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found, results = read(tmp_path / "both_loops.json"), read(tmp_path / "results.json")
    assert {*results["learners"]} == {"full:isolated", "head", *found["loops"]}
    for name, both in found["loops"].items():
        last = dict(zip(results["order"], results["learners"][name]["R"][-1], strict=True))
        (ours,) = both["ours"]
        assert ours == last
        for loop, difference in both["differences"].items():
            (theirs,) = both[loop]
            assert difference["mean"] == pytest.approx(sum(ours[t] - theirs[t] for t in last) / len(last))
        assert name in answer.out
    naive, replay = (
        results["learners"][name]["cost"]["after_each_arrival"][-1]["bytes"] for name in sorted(found["loops"])
    )
    assert replay > naive
