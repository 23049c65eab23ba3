"""The study of orders: isolated learners are fitted once and answer the same, a sequential one is not and does not."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.test_experiments import TINY, call, read


def test_orders(tiny_backbone: Path, tmp_path: Path) -> None:
    given = ("--suite", "sst2,cola,rte", "--backbone", str(tiny_backbone), "--learners", "adapter:4,full:sequential")
    answer = call("orders", *given, *TINY, "--orders", "3", "--workers", "1", "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found = read(tmp_path / "orders.json")["learners"]
    orders = [read(tmp_path / f"order{number}" / "results.json") for number in range(3)]
    assert len({tuple(results["order"]) for results in orders}) > 1
    adapter, chained = found["adapter:4"], found["full:sequential"]
    assert adapter["same"]
    assert adapter["fitted"] == 3, "a task each, whatever the order"
    assert adapter["lowest"] == adapter["highest"] == adapter["score"]["mean"]
    assert not chained["same"]
    assert chained["fitted"] > 3
    for name, of in found.items():
        last = [results["learners"][name]["R"][-1] for results in orders]
        assert [of["lowest"], of["highest"]] == [pick(sum(row) / 3 for row in last) for pick in (min, max)]
    assert "same bits" in answer.out
    assert "differs" in answer.out
