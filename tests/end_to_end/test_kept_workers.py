"""Workers kept between runs: the same results as with new ones, and nothing loaded again that is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream import kept_workers, run, workers
from tests.runs import tiny_settings
from tests.worlds import save_backbone

ORDERS = ("paper", "seed:1")


def cells(results: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the clock."""
    return {name: (learner["R"], learner["metrics"]) for name, learner in results["learners"].items()}


def test_orders_on_one_store(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    process = workers._process
    monkeypatch.setattr(workers, "_process", lambda errors: started.append(process(errors)) or started[-1])
    other = save_backbone(tmp_path / "other-bert", seed=5)
    runs = [(backbone, order) for backbone in (tiny_backbone, other) for order in ORDERS]

    def settings(place: str, number: int) -> dict[str, Any]:
        backbone, order = runs[number]
        store = str(tmp_path / place / "store")
        given = tiny_settings(
            tiny_tasks, backbone, tmp_path / place / str(number), learners="adapter:4,full:sequential"
        )
        return {**given, "order": order, "store": store, "evaluate": "audited"}

    with kept_workers(2) as crew:
        found = [run(**settings("kept", number) | {"workers": crew}) for number in range(len(runs))]
        assert all(each.poll() is None for each in started)
    assert len(started) == 2
    assert all(each.returncode is not None for each in started)
    alone = [run(**settings("alone", number) | {"workers": 1}) for number in range(len(runs))]
    assert [cells(each) for each in found] == [cells(each) for each in alone]
    assert cells(found[0]) != cells(found[2]), "the backbone of the run before was taken for another"
