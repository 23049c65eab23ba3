"""The study of orders: isolated learners are fitted once and answer the same, a sequential one is not and does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.test_experiments import TINY, call, read


def test_orders(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2,cola,rte", "--backbone", str(tiny_backbone), "--learners", "adapter:4,full:sequential")
    orders = ("paper", "rte,sst2,cola", "cola,rte,sst2")
    more = ("--order", ";".join(orders), "--workers", "1", "--out", str(tmp_path))
    answer = call("run_study", "orders", *given, *TINY, *more)
    assert (answer.code, answer.err) == (0, "")
    found = {row["name"]: row["facts"] for row in read(tmp_path / "orders.json")["rows"]}
    members = [entry["folder"] for entry in read(tmp_path / "study.json")["members"]]
    runs = [read(tmp_path / folder / "results.json") for folder in members]
    assert len({tuple(results["order"]) for results in runs}) > 1
    adapter, chained = found["adapter:4"], found["full:sequential"]
    assert adapter["same"]
    assert adapter["fitted"] == 3, "a task each, whatever the order"
    assert adapter["lowest"] == pytest.approx(adapter["highest"])
    assert adapter["score"]["mean"] == pytest.approx(adapter["lowest"])
    assert not chained["same"]
    assert chained["fitted"] > 3
    for name, of in found.items():
        last = [results["learners"][name]["R"][-1] for results in runs]
        means = [sum(row) / 3 for row in last]
        assert [of["lowest"], of["highest"]] == [pytest.approx(min(means)), pytest.approx(max(means))]
    assert "same bits" in answer.out
    assert "differs" in answer.out
