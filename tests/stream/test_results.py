"""Results from events alone: gaps, growth, certificates, violations; the document is strict JSON at every moment."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version

import pytest

from learners.specification.family import parse_learners
from stream.results.account import account
from stream.results.document import Facts, environment, matrix_of, results, row_event, violations_of
from stream.storage.cell import Cell
from stream.storage.events import FitEvent, JobEvent
from stream.storage.fits import Failure
from stream.storage.job import JobId
from tests import typed_events
from tests.typed_events import failed_fit, fit
from tests.typed_events import row as scored

ORDER = ("a", "b", "c")
LEARNERS = parse_learners("full:isolated,adapter:4,full:sequential")
FACTS = Facts(
    suite="a,b,c",
    source="folder:data",
    backbone={"name": "tiny", "id": "f" * 64, "parameters": 1000},
    order=ORDER,
    seed=0,
    tasks={name: {"metric": "accuracy", "classes": 2, "train": 8, "test": 4, "kind": "single"} for name in ORDER},
    learners=LEARNERS,
    settings={"evaluate": "full"},
    environment={"threads": 1},
)


def cell(task: str, score: float | None, logits: str = "same", provenance: str = "measured") -> Cell:
    return typed_events.cell(task, score, logits=f"{logits} of {task}", provenance=provenance, seconds=0.5)


def events_of(name: str, arrivals: int = 3) -> dict[JobId, JobEvent]:
    """Events of a learner up to an arrival; the score is arrival and task as two digits after the point."""
    before = [cell(task, 0.01 * (j + 1)) for j, task in enumerate(ORDER)]
    events: dict[JobId, JobEvent] = {JobId.of("before", name, 0): scored("before", name, 0, before)}
    for t in range(1, arrivals + 1):
        events[JobId.of("fit", name, t)] = fit(
            name, t, ORDER[t - 1], parameters=200 + t, kept_parameters=100 + t, added_parameters=60,
            head_parameters=10, bytes=400, head_bytes=40, flops=1e6, seconds=2.0, peak_memory_bytes=1000 * t,
        )  # fmt: skip
        cells = [cell(task, (10 * t + j + 1) / 100) for j, task in enumerate(ORDER[:t])]
        events[JobId.of("evaluate", name, t)] = scored("evaluate", name, t, cells)
    return events


ALL = {key: event for name in LEARNERS for key, event in events_of(name).items()}
LAST = {name: (JobId.of("evaluate", name, 3), JobId.of("audit", name, 3)) for name in LEARNERS}


def test_the_matrix() -> None:
    matrix = matrix_of(ORDER, "adapter:4", ALL)
    assert matrix.before == (0.01, 0.02, 0.03)
    assert matrix.rows == ((0.11, None, None), (0.21, 0.22, None), (0.31, 0.32, 0.33))
    assert matrix.provenance[1] == ("measured", "measured", None)


def test_rows_after_a_gap_wait() -> None:
    """Isolated learners may finish a later row first; R shows rows without a gap."""
    events = {key: event for key, event in ALL.items() if key != "evaluate/adapter:4/2"}
    assert matrix_of(ORDER, "adapter:4", events).arrivals == 1
    events = {key: event for key, event in ALL.items() if key != "fit/adapter:4/2"}
    assert len(account(ORDER, "adapter:4", LEARNERS["adapter:4"], 1000, events)) == 1


def test_the_final_audit_takes_the_place_of_the_last_row() -> None:
    audit = scored("audit", "adapter:4", 3, [cell(task, 0.9, provenance="audited") for task in ORDER])
    events = {**ALL, "audit/adapter:4/3": audit}
    assert row_event(events, "adapter:4", 3) is audit
    assert row_event(events, "adapter:4", 2) is events["evaluate/adapter:4/2"]
    document = results(FACTS, events)["learners"]["adapter:4"]
    assert document["R"][3] == [0.9, 0.9, 0.9]
    assert document["provenance"][3] == ["audited"] * 3
    assert [document["retention"][f"cells_{how}"] for how in ("measured", "certified", "audited")] == [3, 0, 3]


def test_the_error_of_a_score_is_that_of_the_cell_it_rests_on() -> None:
    """The last row's own cell; that of the arrival if the cell is certified; none if an earlier version wrote it."""

    def last_row(cells: list[Cell], certified: int | None) -> dict[str, float] | None:
        first = [replace(cell(ORDER[0], 0.11), error=0.01)]
        events = {
            **ALL,
            "evaluate/adapter:4/1": scored("evaluate", "adapter:4", 1, first),
            "evaluate/adapter:4/3": replace(scored("evaluate", "adapter:4", 3, cells), certified=certified),
        }
        return results(FACTS, events)["learners"]["adapter:4"].get("errors")

    one, two, three = (cell(task, 0.5) for task in ORDER)
    known = [replace(two, error=0.02), replace(three, error=0.03)]
    assert last_row([replace(one, error=0.04), *known], None) == dict(zip(ORDER, (0.04, 0.02, 0.03), strict=True))
    assert last_row(known, 1) == dict(zip(ORDER, (0.01, 0.02, 0.03), strict=True))
    assert last_row([one, two, replace(three, error=0.03)], None) == {ORDER[2]: 0.03}
    assert "errors" not in results(FACTS, ALL)["learners"]["adapter:4"]


def test_growth_from_the_kept_scalars_of_each_delta() -> None:
    def growth(name: str, key: str = "growth_without_heads") -> list[float]:
        return [entry[key] for entry in account(ORDER, name, LEARNERS[name], 1000, ALL)]

    assert growth("full:isolated") == [0.101, 0.203, 0.306]
    assert growth("adapter:4") == [1.101, 1.203, 1.306]
    assert growth("adapter:4", "growth") == [1.111, 1.223, 1.336]
    assert growth("full:sequential") == [1.06, 1.06, 1.06]


def test_a_sequential_learner_keeps_one_body() -> None:
    """Of the tasks before the last the head alone is kept: bytes as growth counts them."""
    for name, kept in {"adapter:4": [400, 800, 1200], "full:sequential": [400, 440, 480]}.items():
        entries = account(ORDER, name, LEARNERS[name], 1000, ALL)
        assert [entry["bytes"] for entry in entries] == kept
        cost = results(FACTS, ALL)["learners"][name]["cost"]
        assert sum(cost["bytes_per_task"].values()) == kept[-1]
        assert cost["after_each_arrival"] == entries


def test_a_newer_head_in_the_last_delta_is_kept_once() -> None:
    """Strategies may train earlier heads on: the old ones then answer for nothing."""
    name = "avalanche:replay"
    learners, events = parse_learners(name), events_of(name)
    newer = {
        2: {"head.bias": "1", "heads.a.bias": "2"},
        3: {"head.bias": "3", "heads.b.bias": "4", "heads.b.weight": "5"},
    }
    for t, digests in newer.items():
        events[JobId.of("fit", name, t)] = replace(events[JobId.of("fit", name, t)], digests=digests)
    cost = results(replace(FACTS, learners=learners), events)["learners"][name]["cost"]
    assert [entry["bytes"] for entry in cost["after_each_arrival"]] == [400, 400, 440]
    assert cost["bytes_per_task"] == {"a": 40, "b": 0, "c": 400}


def test_what_tasks_have_in_common_is_kept_once() -> None:
    """4 bytes for each of 25 scalars, but for the first good fit; a fit that failed keeps nothing."""
    name = "adapter:4:frozen-shared"
    learner = parse_learners(name)[name]
    for failed, kept in ((None, [400, 700, 1000]), ("a", [0, 400, 700]), ("b", [400, 400, 700])):
        events = failing(name, failed) if failed else events_of(name)
        without = dict(events)
        for key, event in events.items():
            if isinstance(event, FitEvent):
                events[key] = replace(event, common_parameters=25)
        facts = replace(FACTS, learners={name: learner})
        entries = account(ORDER, name, learner, 1000, events)
        assert [entry["bytes"] for entry in entries] == kept
        assert sum(results(facts, events)["learners"][name]["cost"]["bytes_per_task"].values()) == kept[-1]

        assert account(ORDER, name, learner, 1000, without)[-1]["bytes"] == (800 if failed else 1200)  # of old ledgers


def test_the_account_adds_up() -> None:
    first, *_, last = account(ORDER, "adapter:4", LEARNERS["adapter:4"], 1000, ALL)
    assert (first["train_flops"], first["train_seconds"], first["evaluate_seconds"]) == (1e6, 2.0, 2.0)
    assert (last["train_flops"], last["train_seconds"], last["evaluate_seconds"]) == (3e6, 6.0, 4.5)
    assert (last["parameters"], last["peak_memory_bytes"]) == (1336, 3000)


def test_the_account() -> None:
    cost = results(FACTS, ALL)["learners"]["adapter:4"]["cost"]
    assert cost["trained_parameters_per_task"] == {"a": 201, "b": 202, "c": 203}
    assert cost["kept_parameters_per_task"] == {"a": 101, "b": 102, "c": 103}
    assert cost["head_parameters_per_task"] == {"a": 10, "b": 10, "c": 10}
    assert cost["bytes_per_task"] == {"a": 400, "b": 400, "c": 400}
    assert cost["train_flops"] == 3e6
    assert cost["train_seconds"] == 6.0
    assert cost["evaluate_seconds"] == 0.5 * (3 + 1 + 2 + 3)  # the row before training, then the triangle
    assert cost["peak_memory_bytes"] == 3000


def failing(name: str, failed: str) -> dict[JobId, JobEvent]:
    """`events_of` where one fit diverged: its event holds no Delta, later rows no cell of its task."""
    events, place = events_of(name), ORDER.index(failed) + 1
    why = Failure(type="Diverged", step=7, message="the loss is nan")
    events[JobId.of("fit", name, place)] = failed_fit(
        name, place, failed, why, flops=3e5, seconds=0.5, peak_memory_bytes=5000
    )
    for t in range(place, len(ORDER) + 1):
        event = events[JobId.of("evaluate", name, t)]
        events[JobId.of("evaluate", name, t)] = replace(
            event, cells=tuple(cell for cell in event.cells if cell.task != failed)
        )
    return events


@pytest.mark.parametrize("failed", ORDER)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_failed_fit_leaves_gaps_and_never_zeros(name: str, failed: str) -> None:
    place = ORDER.index(failed) + 1
    learner = results(FACTS, failing(name, failed))["learners"][name]
    whole = results(FACTS, ALL)["learners"][name]
    assert learner["failures"] == [
        {"task": failed, "arrival": place, "step": 7, "type": "Diverged", "message": "the loss is nan"}
    ]
    for row, full in zip(learner["R"], whole["R"], strict=True):
        assert row == [None if task == failed and full is not whole["R"][0] else score
                       for task, score in zip(ORDER, full, strict=True)]  # fmt: skip
    assert learner["metrics_over"] == {"tasks": 2, "of": 3}
    last = [score for score in whole["R"][2 if failed == "c" else 3] if score is not None]
    del last[place - 1 : place]
    assert learner["metrics"]["average_accuracy"] == pytest.approx(sum(last) / 2)
    cost = learner["cost"]
    assert list(cost["bytes_per_task"]) == list(cost["kept_parameters_per_task"]) == [t for t in ORDER if t != failed]
    assert (cost["train_flops"], cost["train_seconds"], cost["peak_memory_bytes"]) == (2.3e6, 4.5, 5000)
    growth, start = cost["growth"], 0.0 if name == "full:isolated" else 1.0
    assert growth[place - 1] == (growth[place - 2] if place > 1 else start)
    assert sum(cost["bytes_per_task"].values()) == cost["after_each_arrival"][-1]["bytes"]


def test_certificates_pass_over_a_failed_task() -> None:
    """Audited: the third row ran the new task alone, the first is certified, the second failed."""
    name = "adapter:4"
    events = failing(name, "b")
    events[JobId.of("evaluate", name, 2)] = scored("evaluate", name, 2, [], certified=1)
    events[JobId.of("evaluate", name, 3)] = scored("evaluate", name, 3, [cell("c", 0.33)], certified=1)
    matrix = matrix_of(ORDER, name, events)
    assert matrix.rows == ((0.11, None, None), (0.11, None, None), (0.11, None, 0.33))
    assert matrix.provenance[1:] == (("certified", None, None), ("certified", None, "measured"))


def test_of_no_cell_nothing_is_proven() -> None:
    fits = {t: JobId.of("fit", "adapter:4", t) for t in (1, 2, 3)}
    events = {job: failing("adapter:4", ORDER[t - 1])[job] for t, job in fits.items()}
    events |= {JobId.of("evaluate", "adapter:4", t): scored("evaluate", "adapter:4", t, []) for t in (1, 2, 3)}
    learner = results(FACTS, events)["learners"]["adapter:4"]
    assert not learner["retention"]["verified"]
    assert set(learner["metrics"].values()) == {None}
    assert learner["cost"]["growth"] == [1.0, 1.0, 1.0]
    assert learner["metrics_over"] == {"tasks": 0, "of": 3}


def test_an_answer_that_is_no_number_is_told_once() -> None:
    broken = [cell("a", 0.31), cell("b", None), cell("c", 0.33)]
    events = {**ALL, **{job: scored(job.kind, "full:sequential", 3, broken) for job in LAST["full:sequential"]}}
    learner = results(FACTS, events)["learners"]["full:sequential"]
    (failure,) = learner["failures"]
    assert (failure["task"], failure["arrival"], failure["step"], failure["type"]) == ("b", 3, None, "NotFinite")
    assert (learner["R"][3][1], learner["provenance"][3][1]) == (None, None)
    assert learner["metrics"]["average_accuracy"] is None  # the last row is not whole: no average of the rest
    assert learner["metrics"]["learning_accuracy"] is not None


STRATEGIES = "full:isolated,avalanche:ewc,avalanche:joint,adapter:4:frozen-shared,adapter:4"


@pytest.mark.parametrize("left_out", ["", "full:isolated", "adapter:4", "avalanche:joint"])
def test_what_scores_are_compared_with(left_out: str) -> None:
    """Tasks learned alone are those of an isolated learner of the same weights, never a learner's own in the stream."""
    learners = parse_learners(",".join(name for name in STRATEGIES.split(",") if name != left_out))
    events = {key: event for name in learners for key, event in events_of(name).items()}
    for name, better in {"full:isolated": 0.05, "adapter:4": 0.02, "avalanche:joint": 0.04}.items():
        for job in (JobId.of("evaluate", name, t) for t in (1, 2, 3) if name != left_out):
            cells = tuple(replace(cell, score=cell.score + better) for cell in events[job].cells)
            events[job] = replace(events[job], cells=cells)
    found = {name: x["metrics"] for name, x in results(replace(FACTS, learners=learners), events)["learners"].items()}
    ewc, shared = found["avalanche:ewc"], found["adapter:4:frozen-shared"]
    assert ewc["fwt_single_task"] == (None if left_out == "full:isolated" else pytest.approx(-0.05))
    assert shared["fwt_single_task"] == (None if left_out == "adapter:4" else pytest.approx(-0.02))
    assert ewc["intransigence_chaudhry"] == (None if left_out == "avalanche:joint" else pytest.approx(0.04))
    assert shared["intransigence_chaudhry"] is None, "joint training is of all weights"


def test_only_learners_that_train_alike_are_compared() -> None:
    learners = parse_learners("full:isolated:epochs=7,avalanche:ewc,avalanche:joint:epochs=7")
    events = {key: event for name in learners for key, event in events_of(name).items()}
    metrics = results(replace(FACTS, learners=learners), events)["learners"]["avalanche:ewc"]["metrics"]
    assert (metrics["fwt_single_task"], metrics["intransigence_chaudhry"]) == (None, None)


def test_joint_training_is_no_reference_for_a_part_of_its_stream() -> None:
    learners = parse_learners("avalanche:ewc,avalanche:joint")
    events = {**events_of("avalanche:joint"), **events_of("avalanche:ewc", arrivals=2)}
    metrics = results(replace(FACTS, learners=learners), events)["learners"]["avalanche:ewc"]["metrics"]
    assert metrics["intransigence_chaudhry"] is None


@pytest.mark.parametrize("kind", ["evaluate", "audit"])
def test_other_logits_of_an_isolated_learner_are_a_violation(kind: str) -> None:
    changed = [cell("a", 0.31), cell("b", 0.32, logits="other"), cell("c", 0.33)]
    for name in ("adapter:4", "full:sequential"):
        events = {**ALL, JobId.of(kind, name, 3): scored(kind, name, 3, changed)}
        found = violations_of(FACTS, name, events)
        retention = results(FACTS, events)["learners"][name]["retention"]
        assert retention["violations"] == found
        assert not retention["verified"]
        if name == "adapter:4":
            assert found == [{"task": "b", "arrival": 3, "expected": "same of b", "found": "other of b"}]
        else:  # a sequential learner is measured; that its answers change is what is measured
            assert found == []


def test_a_task_to_come_may_change_its_answers() -> None:
    """`square` scores tasks before they arrive: what a fit then changes is no violation."""
    early = [cell("a", 0.11), cell("b", 0.5, logits="unlearned"), cell("c", 0.5, logits="unlearned")]
    events = {**ALL, JobId.of("evaluate", "adapter:4", 1): scored("evaluate", "adapter:4", 1, early)}
    assert violations_of(FACTS, "adapter:4", events) == []


@pytest.mark.parametrize("finished", range(len(ALL) + 1))
def test_the_document_at_every_moment_of_a_run(finished: int) -> None:
    events = dict(list(ALL.items())[:finished])
    document = results(FACTS, events)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for name, learner in document["learners"].items():
        rows = len(learner["R"])
        assert 1 <= rows <= 4
        assert len(learner["provenance"]) == rows
        assert all(len(row) == 3 for row in (*learner["R"], *learner["provenance"]))
        assert learner["retention"]["verified"] == (rows == 4 and LEARNERS[name].sharing == "isolated")
        for row, hows in zip(learner["R"], learner["provenance"], strict=True):
            assert [score is None for score in row] == [how is None for how in hows]


@pytest.mark.parametrize(
    ("learners", "library"),
    [
        ("avalanche:ewc,head", "avalanche-lib"),
        ("lora:2,peft:{peft_type=IA3,target_modules=[query]}", "peft"),
        ("head", ""),
    ],
)
def test_of_the_libraries_of_learners_the_versions_of_those_that_were_used(learners: str, library: str) -> None:
    if library == "peft":
        pytest.importorskip("peft", reason="peft is not installed: pip install 'taskstream[peft]'")
    found = environment({"threads": 1}, parse_learners(learners).values())
    others = {name: each for name, each in found.items() if name in ("avalanche-lib", "peft")}
    assert others == ({library: version(library)} if library else {})
