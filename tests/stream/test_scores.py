"""Scores that runs on one store share: certified by an equal evaluation, checked by `verify`, and never a run's own."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stream import run
from stream.storage.cell import Cell
from stream.storage.scores import Evaluation, get_score, loose_scores, put_score, score_path
from stream.storage.store import Store
from stream.verification import verify
from tests.forging import forge
from tests.runs import events_of, tiny_settings

SUITE, LEARNERS = "sms_spam,rte,colours", "adapter:2,head,layernorm:sequential"
CELL = Cell(
    task="rte", score=0.5, n=4, logits="l" * 64, predictions="p" * 64, delta="d" * 64, plan="b" * 64, seconds=0.1,
    provenance="measured", error=0.25,
)  # fmt: skip
INPUTS = Evaluation("x", "d" * 64, {"name": "head"}, ("rte", "y", "accuracy"), 4, 0, {"threads": 1})


def test_a_score_is_found_under_equal_inputs_by_other_runs_only(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert get_score(store, INPUTS, "one") is None
    put_score(store, INPUTS, CELL, "one")
    assert get_score(store, INPUTS, "two") == CELL
    assert get_score(store, INPUTS, "one") is None  # a killed run measures again what it had measured
    others: dict[str, Any] = {"delta": "e" * 64, "data_seed": 1, "numerics": {"threads": 2}, "test_examples": None}
    for name, other in others.items():
        assert get_score(store, replace(INPUTS, **{name: other}), "two") is None
    assert loose_scores(store, {"d" * 64}) == []
    assert loose_scores(store, set()) == [score_path(store, INPUTS)]
    unfinished = tmp_path / "scores" / ".0.part"  # what a crash leaves, `gc` deletes
    unfinished.touch()
    assert loose_scores(store, {"d" * 64}) == [unfinished]


@pytest.mark.parametrize("damage", ["", "{", '{"cell": 1, "run": "one", "check": "0"}', "score"])
def test_a_damaged_score_is_none(damage: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_score(store, INPUTS, CELL, "one")
    path = score_path(store, INPUTS)
    path.write_text(path.read_text().replace("0.5", "0.75") if damage == "score" else damage)
    assert get_score(store, INPUTS, "two") is None
    assert loose_scores(store, set()) == [path]


@pytest.fixture(scope="module")
def pair(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two audited runs on one store: the tasks in two orders."""
    root = tmp_path_factory.mktemp("pair")
    for name, order in (("one", SUITE), ("two", "colours,rte,sms_spam")):
        more: dict[str, Any] = {"suite": SUITE, "order": order, "learners": LEARNERS, "evaluate": "audited"}
        run(**tiny_settings(tiny_tasks, tiny_backbone, root / name, store=str(root / "store"), **more))
    return root / "one", root / "two"


def test_another_order_evaluates_an_isolated_learner_in_its_audits_only(pair: tuple[Path, Path]) -> None:
    def hows(out: Path, learner: str, kind: str) -> Counter[str]:
        rows = [event for event in events_of(out, kind) if event["learner"] == learner]
        return Counter(cell["provenance"] for row in rows for cell in row["cells"])

    one, two = pair
    for learner in ("adapter:2", "head"):
        assert hows(one, learner, "evaluate") == {"measured": 3, "audited": 2}
        assert hows(two, learner, "evaluate") == {"certified": 3, "audited": 2}
        assert hows(two, learner, "before") == {"certified": 3}
        assert hows(two, learner, "audit") == {"audited": 3}  # all are measured again at the end
    for kind in ("before", "evaluate"):
        assert "certified" not in hows(two, "layernorm:sequential", kind)


def test_a_certified_score_is_the_measured_one(
    pair: tuple[Path, Path], tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    _, two = pair
    more: dict[str, Any] = {"suite": SUITE, "order": "colours,rte,sms_spam", "learners": LEARNERS}
    alone = run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "alone", evaluate="full", **more))
    found = json.loads((two / "results.json").read_text())
    for name, learner in alone.learners.items():
        expected = np.where(np.isnan(learner.matrix), None, learner.matrix)  # type: ignore[call-overload]
        assert found["learners"][name]["R"] == expected.tolist()
    assert verify(two, rerun=None).passed


def test_verify_compares_a_certified_cell_with_the_store(pair: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(pair[1].parent, tmp_path / "all")
    two, store = tmp_path / "all" / "two", tmp_path / "all" / "store"
    assert verify(two, store=store).counts["scores"] == {"scores": 12, "certified_by_store": 12}

    def other(events: list[dict[str, Any]]) -> None:
        for event in events:
            for cell in event.get("cells", []):
                if event["event"] == "before" and event["learner"] == "adapter:2" and cell["task"] == "rte":
                    cell["logits"] = "0" * 64

    forge(two, other)
    findings = verify(two, store=store).findings
    assert [(each.learner, each.task, each.arrival) for each in findings] == [("adapter:2", "rte", 0)]
    assert "logits of this certified cell" in findings[0].what


def test_a_measured_cell_that_claims_to_be_certified_needs_no_record_but_is_told(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(pair[1].parent, tmp_path / "all")
    shutil.rmtree(tmp_path / "all" / "store" / "scores")
    verdict = verify(tmp_path / "all" / "two", store=tmp_path / "all" / "store")
    assert verdict.passed
    assert any("12 cells were certified by evaluations that are no longer in the store" in x for x in verdict.notes)
