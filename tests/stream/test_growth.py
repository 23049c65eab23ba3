"""The account: growth over arrivals for each way of sharing, and the document of `taskstream cost`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.backbones.published import known_architecture
from learners.specification.family import parse_learner, parse_learners
from stream.results.cost_document import account
from stream.results.growth import TaskCost, growth, task_cost
from tasks.suite import SUITES, TASKS

costs = st.lists(st.builds(TaskCost, *[st.integers(0, 10**8)] * 3), min_size=1, max_size=30)
backbones = st.integers(1, 10**9)
COPIES, ADDED = parse_learner("full:isolated"), parse_learner("adapter:64")
SHARED_BODY, SHARED_ADAPTER = parse_learner("full:sequential"), parse_learner("adapter:64:sequential")


@given(backbones, costs)
def test_isolated_growth_adds_up(backbone: int, costs: list[TaskCost]) -> None:
    for learner, start in ((COPIES, 0), (ADDED, backbone)):
        bare = growth(learner, backbone, costs, heads=False)
        for arrivals, value in enumerate(bare, start=1):
            total = start + sum(cost.tuned + cost.added for cost in costs[:arrivals])
            assert value == pytest.approx(total / backbone)


@given(backbones, costs)
def test_sequential_growth_is_the_backbone_and_what_was_added_once(backbone: int, costs: list[TaskCost]) -> None:
    bare = growth(SHARED_ADAPTER, backbone, costs, heads=False)
    assert bare == pytest.approx([1 + cost.added / backbone for cost in costs])


@given(backbones, costs, st.sampled_from([COPIES, ADDED, SHARED_BODY, SHARED_ADAPTER]))
def test_heads_add_up_for_all(backbone: int, costs: list[TaskCost], learner: object) -> None:
    with_heads = growth(learner, backbone, costs, heads=True)  # type: ignore[arg-type]
    without = growth(learner, backbone, costs, heads=False)  # type: ignore[arg-type]
    for arrivals, (more, less) in enumerate(zip(with_heads, without, strict=True), start=1):
        assert more - less == pytest.approx(sum(cost.head for cost in costs[:arrivals]) / backbone, rel=1e-6)


@pytest.mark.parametrize(("suite", "copies"), [("glue9", 9.0), ("additional17", 17.0), ("houlsby26", 26.0)])
def test_the_document(suite: str, copies: float) -> None:
    """Copies count 9x on GLUE and 17x on the additional tasks (Houlsby et al. 2019, sections 3.2 and 3.3)."""
    architecture = known_architecture("bert-large-uncased")
    learners = parse_learners("full:isolated,full:sequential,adapter:64,layernorm,head")
    widths = {name: TASKS[name].outputs for name in SUITES[suite]}
    document = account("bert-large-uncased", architecture, learners, widths)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["backbone"] == {
        "name": "bert-large-uncased",
        "parameters": 335_141_888,
        "encoder_parameters": 302_309_376,
    }
    assert document["tasks"] == len(widths)
    assert document["learners"].keys() == learners.keys()
    for specification, row in document["learners"].items():
        assert row.keys() == {
            "parameters_per_task",
            "head_parameters",
            "growth",
            "growth_without_heads",
            "share_of_model",
            "share_of_encoder",
        }
        assert row["head_parameters"] == {name: width * 1_025 for name, width in widths.items()}
        heads = sum(row["head_parameters"].values()) / 335_141_888
        assert row["growth"] == pytest.approx(row["growth_without_heads"] + heads, rel=1e-12)
        assert row["share_of_model"] == row["parameters_per_task"] / 335_141_888
        assert row["share_of_encoder"] == row["parameters_per_task"] / 302_309_376
        assert row["parameters_per_task"] == task_cost(learners[specification], architecture, 2).without_head
    grown = {name: row["growth_without_heads"] for name, row in document["learners"].items()}
    assert grown["full:isolated"] == copies
    assert grown["full:sequential"] == grown["head"] == 1.0
    assert grown["adapter:64"] == pytest.approx(1 + len(widths) * 6_444_032 / 335_141_888, rel=1e-12)
