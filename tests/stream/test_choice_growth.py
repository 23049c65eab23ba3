"""Growth of learners with alternatives: bounds against every possible choice, and what names an alternative."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from learners.backbones.architecture import parameters
from learners.backbones.published import known_architecture
from learners.specification.family import parse_learner, parse_learners
from stream.api.cost import cost, read_chosen
from stream.results.choice_growth import Option, bounds, choice_of, kept, varying
from stream.results.cost_document import account
from stream.results.growth import TaskCost, growth, plain_cost, task_cost
from tasks.errors import InputError, InputErrors
from tasks.suite import SUITES, TASKS

GLUE, ADDITIONAL = ({name: TASKS[name].outputs for name in SUITES[suite]} for suite in ("glue9", "additional17"))
LARGE, BASE = known_architecture("bert-large-uncased"), known_architecture("bert-base-uncased")
SIZES = "adapter:8/64/256"
# Houlsby et al. 2019: 256 is best for MNLI, 8 for RTE (section 3.6), sizes of 3.6 % a task on average (Table 1).
CHOSEN = dict.fromkeys(GLUE, "64") | {"mnli_m": "256", "sst2": "256", "qqp": "256", "rte": "8", "stsb": "8"}

options = st.builds(
    lambda size, head, copy: Option("", TaskCost(tuned=1_000 if copy else size, added=0, head=head), copy),
    st.integers(0, 999), st.integers(0, 50), st.booleans(),
)  # fmt: skip


COPY = Option("copy", TaskCost(tuned=1_000, added=0, head=0), copy=True)
SMALL_PART, PART, LARGE_PART = (Option("", TaskCost(tuned=n, added=0, head=0), copy=False) for n in (10, 500, 990))


@given(st.lists(st.lists(options, min_size=1, max_size=4), min_size=1, max_size=4), st.booleans())
@example([[COPY, PART], [COPY, PART]], False)  # most: one copy, and a backbone for the other task
@example([[COPY, LARGE_PART], [COPY, LARGE_PART]], False)  # least: copies, without a backbone
@example([[COPY, SMALL_PART], [COPY, SMALL_PART]], False)  # least: parts, with a backbone
def test_bounds_are_those_of_all_choices(tasks: list[list[Option]], heads: bool) -> None:
    every = [kept(choice, 1_000, heads=heads) for choice in product(*tasks)]
    assert bounds(tasks, 1_000, heads=heads) == [min(every), max(every)]


@pytest.mark.parametrize("specification", ["adapter:8", "topk:3", "full", "layernorm", "head", "bitfit"])
def test_one_alternative_everywhere_is_that_learner(specification: str) -> None:
    learner = parse_learner(specification)
    costs = [task_cost(learner, BASE, width) for width in ADDITIONAL.values()]
    choice = [Option(specification, each, learner.tuned.all) for each in costs]
    for heads in (False, True):
        expected = growth(learner, parameters(BASE), costs, heads=heads)[-1]
        assert kept(choice, parameters(BASE), heads=heads) == pytest.approx(expected, rel=1e-12)


def test_the_range_of_alternatives_is_that_of_its_ends() -> None:
    learners = parse_learners(f"{SIZES},adapter:8,adapter:256")
    rows = account("bert-large", LARGE, learners, GLUE)["learners"]
    for key in ("parameters_per_task", "growth", "growth_without_heads", "share_of_model", "share_of_encoder"):
        assert rows[SIZES][key] == [rows["adapter:8"][key], rows["adapter:256"][key]]  # type: ignore[literal-required]
    assert rows[SIZES]["head_parameters"] == rows["adapter:8"]["head_parameters"]
    assert "chosen" not in rows[SIZES]
    assert "left_out" not in rows[SIZES]


def test_adapters_on_glue_grow_by_1_3() -> None:
    """Houlsby et al. 2019, Table 1: 1.3x, 3.6 % a task, for sizes from 8 to 256; 1.2x for 64."""
    found = cost(backbone="bert-large-uncased", suite="glue9", learners=[SIZES, "adapter:64"])["learners"]
    least, most = found[SIZES]["growth_without_heads"]  # type: ignore[misc]
    assert least < 1.3 < most
    assert (round(least, 3), round(most, 3)) == (1.025, 1.680)
    chosen = cost(backbone="bert-large-uncased", suite="glue9", learners=SIZES, chosen=CHOSEN)["learners"][SIZES]
    exact = 1 + (3 * 25_327_616 + 4 * 6_444_032 + 2 * 936_320) / 335_141_888
    assert chosen["growth_without_heads"] == pytest.approx(exact, rel=1e-12)
    assert round(exact, 1) == 1.3
    assert chosen["share_of_model"] == pytest.approx((exact - 1) / 9, rel=1e-12)
    assert chosen["share_of_encoder"] == pytest.approx(0.0381, abs=5e-5)
    assert chosen["chosen"]["rte"] == "adapter:8"
    assert list(chosen["chosen"]) == list(GLUE)


def test_adapters_on_the_additional_tasks_grow_by_1_19() -> None:
    """Table 2: 1.19x, 1.14 % a task, for sizes from 2 to 64: what size 32 on all tasks has to a hundredth."""
    learner = "adapter:2/4/8/16/32/64"
    row = cost(backbone="bert-base-uncased", suite="additional17", learners=learner)["learners"][learner]
    assert row["growth_without_heads"][0] < 1.19 < row["growth_without_heads"][1]  # type: ignore[index]
    chosen = cost(
        backbone="bert-base-uncased", suite="additional17", learners=learner, chosen=dict.fromkeys(ADDITIONAL, 32)
    )
    assert chosen["learners"][learner]["growth_without_heads"] == pytest.approx(1.192, abs=5e-4)
    assert chosen["learners"][learner]["share_of_model"] == pytest.approx(0.0113, abs=5e-5)


def test_variable_fine_tuning_grows_by_9_9() -> None:
    """Table 2: 9.9x, 52 % a task. 137 layers over 17 tasks: 8.1 each. Embeddings are frozen: 12 layers are 77.7 %."""
    learner = "topk:1/2/3/5/7/9/11/12"
    row = cost(backbone="bert-base-uncased", suite="additional17", learners=learner)["learners"][learner]
    assert row["growth_without_heads"] == pytest.approx([1 + 17 * 0.0647399, 1 + 17 * 0.7768791], abs=1e-5)
    assert row["growth_without_heads"][0] < 9.9 < row["growth_without_heads"][1]  # type: ignore[index]
    layers = [9] * 10 + [7] * 6 + [5]
    chosen = dict(zip(ADDITIONAL, layers, strict=True))
    found = cost(backbone="bert-base-uncased", suite="additional17", learners=learner, chosen=chosen)
    assert round(found["learners"][learner]["growth_without_heads"], 1) == 9.9  # type: ignore[arg-type]
    assert found["learners"][learner]["share_of_model"] == pytest.approx(0.5217, abs=5e-5)


def test_heads_of_alternatives_may_differ() -> None:
    row = account("bert-base", BASE, parse_learners("feature:1/4"), {"a": 2, "b": 3})["learners"]["feature:1/4"]
    assert row["head_parameters"] == {"a": [2 * 769, 2 * 3073], "b": [3 * 769, 3 * 3073]}
    assert row["growth"] == pytest.approx([1 + 5 * 769 / 109_482_240, 1 + 5 * 3073 / 109_482_240], rel=1e-12)
    assert row["growth_without_heads"] == [1.0, 1.0]


def test_alternatives_that_the_backbone_has_not_are_left_out() -> None:
    learner = "topk:1/2/24"
    found = account("bert-base", BASE, parse_learners(learner), GLUE)["learners"][learner]
    assert found["left_out"] == ["topk:24"]
    assert found["parameters_per_task"] == [7_087_872, 2 * 7_087_872]
    with pytest.raises(InputError, match="unknown alternative '24'"):
        account("bert-base", BASE, parse_learners(learner), GLUE, dict.fromkeys(GLUE, "24"))


def test_a_learner_with_restarts_alone_has_one_size() -> None:
    learners = parse_learners("adapter:8:restarts=2")
    (row,) = account("bert-base", BASE, learners, GLUE)["learners"].values()
    assert row == plain_cost(parse_learner("adapter:8"), BASE, GLUE)


@pytest.mark.parametrize(
    ("specification", "expected"),
    [
        ("adapter:8/64", [["8"], ["64"]]),
        ("adapter:size=8/64", [["8", "size=8"], ["64", "size=64"]]),
        ("prefix:30/2+parallel:8/9:scale=4", [["30", "8"], ["30", "9"], ["2", "8"], ["2", "9"]]),
        ("bitfit:epochs=3/9", [["3", "epochs=3"], ["9", "epochs=9"]]),
    ],
)
def test_what_alternatives_differ_in(specification: str, expected: list[list[str]]) -> None:
    selection = parse_learner(specification).selection
    assert selection is not None
    assert varying([each.specification for each in selection.alternatives]) == expected


def test_a_value_may_name_several_alternatives_of_one_size() -> None:
    text = "adapter:8/64:learning_rate=3e-4/3e-3:epochs=3/20"
    selection = parse_learner(text).selection
    assert selection is not None
    each = [Option(x.specification, task_cost(x.learner, BASE, 2), False) for x in selection.alternatives]
    assert choice_of("8", each, "").cost == task_cost(parse_learner("adapter:8"), BASE, 2)
    assert choice_of("64", each, "").cost == task_cost(parse_learner("adapter:64"), BASE, 2)
    whole = "adapter:64:learning_rate=3e-3:epochs=20"
    assert choice_of(whole, each, "").specification == whole
    assert choice_of("8:learning_rate=3e-4", each, "").specification == "adapter:8:learning_rate=3e-4:epochs=3"
    for vague in ("3e-4", "epochs=20", "3"):
        with pytest.raises(InputError, match="several alternatives of different size"):
            choice_of(vague, each, "")
    with pytest.raises(InputError, match="one of adapter:8:learning_rate=3e-4:epochs=3, adapter:8:learning_rate=3e-4:"):
        choice_of("9", each, "")
    for unknown in ("9", "adapter:8", "", "adapter", "8:learning_rate=1"):
        with pytest.raises(InputError, match="unknown alternative"):
            choice_of(unknown, each, "")


def test_all_errors_of_a_choice_are_told() -> None:
    chosen = {**CHOSEN, "colla": "8", "cola": "63"}
    del chosen["mrpc"], chosen["qnli"]
    with pytest.raises(InputErrors) as caught:
        account("bert-large", LARGE, parse_learners(SIZES), GLUE, chosen)
    said = [str(error) for error in caught.value.errors]
    assert len(said) == 3
    assert "unknown task 'colla'" in said[0]
    assert "did you mean cola" in said[0]
    assert "--chosen: no choice for mrpc, qnli" in said[1]
    assert "unknown alternative '63'" in said[2]
    assert "8, 64, 256" in said[2]


@pytest.mark.parametrize("learners", ["adapter:8", "adapter:8/64,topk:1/2"])
def test_a_choice_needs_one_learner_with_alternatives(learners: str) -> None:
    with pytest.raises(InputError, match="exactly one learner with alternatives"):
        account("bert-large", LARGE, parse_learners(learners), GLUE, CHOSEN)


def test_a_choice_as_text() -> None:
    text = " COLA = adapter:8:learning_rate=3e-4 , rte=64,mine={a=1,b=2}"
    assert read_chosen(text) == {"cola": "adapter:8:learning_rate=3e-4", "rte": "64", "mine": "{a=1,b=2}"}
    assert read_chosen({"cola": 8}) == read_chosen("cola=8")


@pytest.mark.parametrize("chosen", ["", "cola", "cola=", "=8", "cola=8,", "cola=8,CoLA=64", {"cola": True}, {"": 1}, 3])
def test_what_is_no_choice(chosen: object) -> None:
    with pytest.raises(InputError, match=r"no choice|named twice|bad choices"):
        read_chosen(chosen)  # type: ignore[arg-type]
