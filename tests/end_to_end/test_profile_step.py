"""scripts/profile_step.py at a tiny size: times belong to the right operators, and a step is exactly one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmark import process
from benchmark.process import ROOT
from profiling import recording, shares
from profiling.operators import AUTOGRAD, CLIPPING, COPIES, ELEMENTWISE, GROUP_OF, NAMES, OPTIMISER, OTHER, PRODUCTS
from profiling.operators import group_of as group
from profiling.trace import operators_of

from tests.end_to_end.test_bench import OneProcess
from tests.end_to_end.test_experiments import Answer, call, read

SIZES = {"steps": 3, "repetitions": 2, "batch_size": 4, "length": 12}


def event(name: str, begin: float, end: float, thread: int = 1) -> dict[str, Any]:
    return {"name": name, "ts": begin, "dur": end - begin, "tid": thread}


def test_own_time_and_owners() -> None:
    """Microseconds. A range has no time of its own, but what it calls belongs to it."""
    found = operators_of(
        [
            event("aten::mm", 10, 14),
            event("aten::linear", 5, 30),
            event("aten::addmm", 15, 25),
            event("aten::mm", 12, 22, thread=2),
            event("Optimizer.step#AdamW.step", 40, 60),
            event("aten::add_", 41, 45),
            event("aten::_foreach_mul_", 45, 50),
            event("aten::mul_", 46, 48),
            event("AddmmBackward0", 60, 70),
            event("aten::mm", 60, 68),
            event("aten::_foreach_mul_", 70, 75),
            event("aten::mul_", 71, 73),
        ]
    )
    assert found == {
        (PRODUCTS, "aten::linear"): (1, pytest.approx(11e-6)),
        (PRODUCTS, "aten::mm"): (3, pytest.approx(22e-6)),
        (PRODUCTS, "aten::addmm"): (1, pytest.approx(10e-6)),
        (OPTIMISER, "aten::add_"): (1, pytest.approx(4e-6)),
        (OPTIMISER, "aten::_foreach_mul_"): (1, pytest.approx(3e-6)),
        (OPTIMISER, "aten::mul_"): (1, pytest.approx(2e-6)),
        (CLIPPING, "aten::_foreach_mul_"): (1, pytest.approx(3e-6)),
        (CLIPPING, "aten::mul_"): (1, pytest.approx(2e-6)),
        (AUTOGRAD, "AddmmBackward0"): (1, pytest.approx(2e-6)),
    }


def test_groups() -> None:
    assert [group(f"aten::{name}") for name in ("mul_", "add.out", "copy_", "never_seen")] == [
        ELEMENTWISE, ELEMENTWISE, COPIES, OTHER,
    ]  # fmt: skip
    assert group("torch::autograd::AccumulateGrad") == group("autograd::engine::evaluate_function: X") == AUTOGRAD
    assert group("aten::linalg_vector_norm", ["aten::_foreach_norm"]) == CLIPPING
    assert len(GROUP_OF) == sum(len(names.split()) for names in NAMES.values())  # no operator in two groups


def test_shares() -> None:
    profile = {
        "seconds": 0.02,
        "cpu": 0.01,
        "flops": 4e6,
        "operators": [
            [PRODUCTS, "aten::mm", 2, 0.004],
            [OPTIMISER, "aten::mm", 1, 0.001],
            [AUTOGRAD, "autograd::engine::evaluate_function: MmBackward0", 3, 0.002],
        ],
    }
    spent = shares.seconds_of(profile)
    assert (spent[PRODUCTS], spent[OPTIMISER], spent[shares.PYTHON]) == (0.004, 0.001, pytest.approx(0.003))
    assert sum(spent.values()) == pytest.approx(0.01)
    assert shares.calls_of(profile) == (3, 3)
    rows = {row[0]: row[1].strip() for row in shares.as_rows([profile], 1e9)}
    assert rows["wall clock, ms"] == "20.00"
    assert rows[PRODUCTS] == "4.00  40%"
    assert rows["GFLOP/s, of limit"] == "0.4  40%"
    assert shares.heaviest(profile, 1) == [["aten::mm", f"{OPTIMISER}, {PRODUCTS}", "3", "5.000", "50.0%"]]
    pages = list(shares.pages(["a", "b" * 20, "c"], [profile] * 3, width=45))
    assert [names for names, _ in pages] == [["a"], ["b" * 20], ["c"]]
    assert [names for names, _ in shares.pages(["a", "b", "c"], [profile] * 3, width=120)] == [["a", "b", "c"]]


@pytest.mark.parametrize("learner", ["full", "head", "adapter:4"])
def test_a_step_of_fit(learner: str, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The difference of two fits has whole numbers of calls, and one loss, one product of the head and one update."""
    monkeypatch.setattr(recording, "EPOCH", 0.0)
    found = recording.step(str(tiny_backbone), "float32", learner, **SIZES)
    calls = {(group, name): calls for group, name, calls, _ in found["operators"]}
    assert all(calls == round(calls) for calls in calls.values())
    by_name = {name: calls for (_, name), calls in calls.items()}
    assert by_name["aten::_log_softmax"] == by_name["aten::nll_loss_backward"] == 1
    assert sum(calls for (group, _), calls in calls.items() if group == PRODUCTS) >= 2
    assert sum(calls for (group, _), calls in calls.items() if group == OPTIMISER) >= 1
    assert not [name for (group, name), calls in calls.items() if group == OTHER and calls > 1]
    assert found["flops"] > 0
    assert found["cpu"] > 0


def test_limit() -> None:
    """In CPU time, of one thread: between what the slowest and what the fastest core could do."""
    assert 1e8 < recording.limit("float32", 256)["rate"] < 1e13


@pytest.fixture
def profiled(tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(process, "Processes", OneProcess)
    monkeypatch.setattr(recording, "EPOCH", 0.0)

    def of(*more: str) -> tuple[Answer, dict[str, Any]]:
        sizes = [part for name, value in SIZES.items() for part in (f"--{name.replace('_', '-')}", str(value))]
        given = ("--backbone", str(tiny_backbone), *sizes, "--out", str(tmp_path), *more)
        answer = call("profile_step", *given, scripts=ROOT / "scripts")
        assert (answer.code, answer.err) == (0, "")
        return answer, read(tmp_path / "profile_step.json")["learners"]

    return of


def test_command(profiled: Any) -> None:
    answer, learners = profiled("--learners", "head,full", "--operators", "3")
    assert set(learners) == {"head", "full"}
    assert "head, 1 of 2" in answer.out
    for line in (*GROUPS_SHOWN, "operator calls", "GFLOP/s, of limit", "aten::"):
        assert line in answer.out
    for found in learners.values():
        assert sum(found["groups"].values()) == pytest.approx(found["cpu"])
        assert found["calls"] > 10
    assert learners["full"]["calls"] > learners["head"]["calls"]


GROUPS_SHOWN = ("wall clock, ms", "CPU time, ms", *NAMES, OPTIMISER, shares.PYTHON)


def test_evaluation(profiled: Any) -> None:
    answer, learners = profiled("--learners", "adapter:4", "--evaluate")
    assert "an evaluation batch" in answer.out
    assert "GFLOP/s" not in answer.out
    names = {name for _, name, calls, _ in learners["adapter:4"]["operators"] if calls}
    assert "aten::addmm" in names
    assert not any("Backward" in name or "adamw" in name for name in names)


def test_bad_input(tmp_path: Path) -> None:
    for given, error in (
        (("--learners", "avalanche:naive"), "--learners: another library trains this learner"),
        (("--learners", "adaptor:3"), "unknown learner 'adaptor'"),
        (("--backbone", str(tmp_path / "none")), "none"),
    ):
        answer = call("profile_step", *given, "--out", str(tmp_path / "out"), scripts=ROOT / "scripts")
        assert answer.code == 2
        assert error in answer.err
    shown = call("profile_step", "--help", scripts=ROOT / "scripts")
    assert (shown.code, shown.err) == (0, "")
    assert "python scripts/profile_step.py" in shown.out
