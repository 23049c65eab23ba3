"""The study of strategies against our learners, at a tiny size: both tables, and their numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.end_to_end.test_experiments import TINY, call, read

STRATEGIES = ("avalanche:naive", "avalanche:replay:mem_size=8")


def test_strategies(tiny_backbone: Path, tmp_path: Path) -> None:
    learners = ",".join(("head", *STRATEGIES))
    given = ("--suite", "sst2,cola", "--backbone", str(tiny_backbone), "--learners", learners, "--workers", "1")
    answer = call("strategies", *given, *TINY, "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "strategies.json")
    assert set(found["learners"]) == {"full:isolated", "head", *STRATEGIES}
    cost = read(tmp_path / "seed0" / "results.json")["learners"]
    for name in found["learners"]:
        line = re.findall(rf"^{re.escape(name)} .*$", answer.out, re.MULTILINE)[0]
        assert f"{cost[name]['cost']['after_each_arrival'][-1]['bytes']:,}" in line
    assert list(found["loops"]) == list(STRATEGIES)
    for name, both in found["loops"].items():
        ours, theirs = (sum(both[where][0].values()) / 2 for where in ("ours", "avalanche"))
        assert both["difference"]["tasks"]["mean"] == pytest.approx(ours - theirs)
        assert ours == pytest.approx(sum(read(tmp_path / "seed0" / "results.json")["learners"][name]["R"][-1]) / 2)
        assert answer.out.count(f"\n{name} ") == 2


def test_only_the_run_where_the_loop_of_avalanche_is_not_asked_for(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2", "--backbone", str(tiny_backbone), "--learners", "avalanche:naive", "--workers", "1")
    answer = call("strategies", *given, *TINY, "--no-loop", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    assert read(tmp_path / "strategies.json")["loops"] == {}
    assert "both loops" not in answer.out
