"""Fits that diverge: the stream goes on, their cells are empty with a reason, and nobody else notices.

At a rate of 1 and a weight decay of 10 AdamW multiplies every matrix by 1 - 10 s in a step at the share s of the peak
rate: by up to -9. Over the 20 or so steps of a short task weights reach 1e12, which float32 holds; over the 120 of a
long one they would reach 1e60, whatever the data.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import learners.training.fit
import learners.training.predict
import stream.execution.evaluate_job
from stream import run
from stream.storage.learner_folder import learner_folder
from tests.runs import (
    Finished,
    as_arguments,
    call,
    deltas_of,
    events_of,
    fitted,
    ledger_of,
    matrices_of,
    read_results,
    tiny_settings,
)
from tests.worlds import save_task

SUITE = ("sms_spam", "colours", "rte")
LONG = "colours"
GOOD = ("adapter:4", "full:sequential")
RUINOUS = "learning_rate=1:weight_decay=10:batch_size=1"
ISOLATED, SEQUENTIAL = f"head:{RUINOUS}", f"layernorm:sequential:{RUINOUS}"
BAD = (ISOLATED, SEQUENTIAL)
T = len(SUITE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("failing")
    save_task(folder, "sms_spam", classes=2, rows=30)
    save_task(folder, LONG, classes=3, rows=160)
    save_task(folder, "rte", classes=2, rows=30, kind="pair")
    return folder


@pytest.fixture(scope="module")
def ran(world: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """In this process, through the entry point of the command."""
    out = tmp_path_factory.mktemp("serial") / "run"
    settings = tiny_settings(world, tiny_backbone, out, suite=",".join(SUITE), learners=",".join((*GOOD, *BAD)))
    return Finished(out, settings, call("run", *as_arguments(settings), "--display", "plain"))


@pytest.fixture(scope="module")
def alone(ran: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The good learners without the bad ones."""
    out = tmp_path_factory.mktemp("alone") / "run"
    return run(**{**ran.settings, "learners": ",".join(GOOD), "out": str(out)}).as_dict()


@pytest.fixture(scope="module")
def spared(ran: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """All learners on the stream that never had the task."""
    out = tmp_path_factory.mktemp("spared") / "run"
    settings = {**ran.settings, "suite": ",".join(task for task in SUITE if task != LONG), "out": str(out)}
    return Finished(out, settings, call("run", *as_arguments(settings), "--display", "none"))


def reduced(matrix: list[list[float | None]]) -> list[list[float | None]]:
    """R without the row and the column of the second task."""
    return [[score for j, score in enumerate(row) if j != 1] for i, row in enumerate(matrix) if i != 2]


def test_it_diverges_as_the_world_is_made(ran: Finished, spared: Finished) -> None:
    failed = {(e["learner"], e["task"]) for e in events_of(ran.out, "fit") if "failed" in e}
    assert failed == {(name, LONG) for name in BAD}
    assert (spared.answer.code, spared.answer.err) == (0, "")
    assert all(learner["failures"] == [] for learner in spared.results["learners"].values())


def test_the_event_says_step_and_reason_and_the_store_holds_nothing(ran: Finished) -> None:
    steps = next(e for e in events_of(ran.out, "fit") if e["task"] == LONG and "delta" in e)["examples"]
    for event in (event for event in events_of(ran.out, "fit") if "failed" in event):
        assert event["failed"]["type"] == "Diverged"
        assert 40 < event["failed"]["step"] < steps
        assert event["failed"]["message"] == f"the loss is nan at step {event['failed']['step']} of {steps} (epoch 1)"
        assert not {"delta", "digests", "parameters", "kept_parameters", "bytes"} & event.keys()
        assert event["flops"] > 0
        assert event["seconds"] > 0
        assert not event["cached"]
    good = [event for event in events_of(ran.out, "fit") if "failed" not in event]
    assert len(list((ran.out / "store" / "fits").iterdir())) == len({event["recipe"] for event in good})
    assert {path.stem for path in (ran.out / "store" / "deltas").iterdir()} == {event["delta"] for event in good}


@pytest.mark.parametrize("name", BAD)
def test_its_cells_are_empty_with_a_reason(ran: Finished, name: str) -> None:
    learner = ran.results["learners"][name]
    for arrival, (row, hows) in enumerate(zip(learner["R"][1:], learner["provenance"][1:], strict=True), start=1):
        there = [j < arrival and j != 1 for j in range(T)]
        assert [score is not None for score in row] == there
        assert [how in ("measured", "partly-measured") for how in hows] == there
    lines = (learner_folder(ran.out, name) / "R.csv").read_text(encoding="utf-8").splitlines()
    assert lines[3] == f"colours,{learner['R'][2][0]!r},,"
    assert lines[4].split(",")[2] == ""
    (failure,) = learner["failures"]
    assert {key: failure[key] for key in ("task", "arrival", "type")} == {
        "task": LONG,
        "arrival": 2,
        "type": "Diverged",
    }
    assert failure["step"] > 0
    assert learner["metrics_over"] == {"tasks": T - 1, "of": T}


def test_the_others_are_bitwise_what_they_are_alone(ran: Finished, alone: dict[str, Any]) -> None:
    together = ran.results["learners"]
    for name in GOOD:
        assert together[name]["failures"] == []
        assert together[name]["metrics_over"] == {"tasks": T, "of": T}
        for part in ("R", "provenance", "metrics", "retention"):
            assert together[name][part] == alone["learners"][name][part]


@pytest.mark.parametrize("name", BAD)
def test_the_stream_goes_on_as_if_the_task_had_not_come(ran: Finished, spared: Finished, name: str) -> None:
    """Bitwise R, Deltas and every metric of the stream that never had it; the sequential body is the one before."""
    with_it, without = ran.results["learners"][name], spared.results["learners"][name]
    assert reduced(with_it["R"]) == without["R"]
    assert with_it["R"][2][0] == with_it["R"][1][0]
    assert with_it["metrics"] == without["metrics"]
    found, expected = deltas_of_good(ran.out), deltas_of(spared.out)
    assert {key: delta for key, delta in expected.items() if key[0] == name} == {
        key: delta for key, delta in found.items() if key[0] == name
    }


@pytest.mark.parametrize("name", BAD)
def test_a_failed_fit_keeps_nothing_and_its_price_counts(ran: Finished, spared: Finished, name: str) -> None:
    cost, without = (document["learners"][name]["cost"] for document in (ran.results, spared.results))
    for part in ("trained_parameters_per_task", "kept_parameters_per_task", "head_parameters_per_task"):
        assert cost[part] == without[part]
    assert cost["bytes_per_task"] == without["bytes_per_task"]
    for part in ("growth", "growth_without_heads"):
        assert cost[part] == [without[part][0], *without[part]]
    entries = cost["after_each_arrival"]
    assert [entry["bytes"] for entry in entries][1:] == [e["bytes"] for e in without["after_each_arrival"]]
    fits = [event for event in events_of(ran.out, "fit") if event["learner"] == name]
    assert cost["train_flops"] == sum(event["flops"] for event in fits) > without["train_flops"]
    assert cost["train_seconds"] == pytest.approx(sum(event["seconds"] for event in fits))


def test_the_isolated_one_is_still_proven_about_the_cells_that_are_there(ran: Finished) -> None:
    retention = ran.results["learners"][ISOLATED]["retention"]
    assert retention["verified"]
    cells = retention["cells_measured"] + retention.get("cells_partly_measured", 0)
    assert cells == T * (T + 1) // 2 - (T - 1)


def test_the_command_says_so(ran: Finished) -> None:
    assert ran.answer.code == 1
    (line,) = ran.answer.errors
    assert line.startswith(f"error: 2 failed: {ISOLATED} on colours, arrival 2: the loss is nan at step ")
    assert f"{SEQUENTIAL} on colours" in line
    assert "lower learning rate" in line
    out = ran.answer.out
    assert "\x1b" not in out
    told = [line for line in out.splitlines() if line.startswith(f"failed: {ISOLATED}")]
    assert len(told) == 2  # as it happened, and below the league table
    assert "2 fits FAILED" in out
    arrival = next(line for line in out.splitlines() if line.startswith("2/3 colours"))
    assert arrival.split().count("failed") == 2
    rows = [line for line in out.splitlines() if "(2/3)" in line]
    assert len(rows) == 2
    assert all("★" not in row for row in rows)


def test_the_same_command_reports_it_again_and_tries_nothing(ran: Finished) -> None:
    before = (ran.out / "ledger.jsonl").read_bytes()
    told: list[dict[str, Any]] = []
    results = run(**ran.settings, handle=told.append).as_dict()
    assert (ran.out / "ledger.jsonl").read_bytes() == before
    assert results == ran.results
    assert [e["learner"] for e in told if e["event"] == "fit" and "failed" in e] == list(BAD)
    assert "start" not in [event["event"] for event in told]
    answer = call("run", *as_arguments(ran.settings), "--display", "json")
    assert answer.code == 1
    assert json.loads(answer.out) == results
    assert answer.errors == ran.answer.errors
    assert call("report", str(ran.out), "--display", "plain").out.count("failed: ") == 2


def test_cut_anywhere_it_goes_on_to_the_same(ran: Finished, tmp_path: Path) -> None:
    """The ledger cut after each failed fit: what comes after it is done anew, the failed fit is not."""
    lines = (ran.out / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    cuts = [n for n, line in enumerate(lines, start=1) if b'"failed": {' in line]
    assert len(cuts) == len(BAD)
    out = tmp_path / "run"
    shutil.copytree(ran.out, out)
    (out / "ledger.jsonl").write_bytes(b"".join(lines[: cuts[-1]]))
    results = run(**{**ran.settings, "out": str(out)}).as_dict()
    assert matrices_of(results) == matrices_of(ran.results)
    events = [event for event in ledger_of(out) if event["event"] == "fit"]
    assert [e["learner"] for e in events if "failed" in e] == list(BAD)
    assert {name: learner["metrics"] for name, learner in results["learners"].items()} == {
        name: learner["metrics"] for name, learner in ran.results["learners"].items()
    }


@pytest.mark.usefixtures("warm_workers")
def test_two_workers_give_the_same(ran: Finished, tmp_path: Path) -> None:
    settings = {**ran.settings, "out": str(tmp_path / "run"), "workers": 2}
    answer = call("run", *as_arguments(settings), "--display", "none")
    assert (answer.code, answer.out) == (1, "")
    assert answer.errors == ran.answer.errors
    found, expected = read_results(tmp_path / "run")["learners"], ran.results["learners"]
    for name in expected:
        for part in ("R", "metrics", "failures", "metrics_over", "errors"):
            assert found[name].get(part) == expected[name].get(part)
        here, there = (each[name]["retention"] for each in (found, expected))
        cells = [each["cells_measured"] + each.get("cells_partly_measured", 0) for each in (here, there)]
        assert cells[0] == cells[1]  # each process runs frozen layers once, so which of the two depends on the workers
        assert (here["verified"], here["violations"]) == (there["verified"], there["violations"])
    assert deltas_of_good(tmp_path / "run") == deltas_of_good(ran.out)


@pytest.mark.parametrize("way", ["audited", "square"])
def test_every_way_of_evaluating_gives_the_same_matrix(ran: Finished, tmp_path: Path, way: str) -> None:
    out = tmp_path / "run"
    store = str(ran.out / "store")
    results = run(**{**ran.settings, "out": str(out), "evaluate": way, "store": store}).as_dict()
    for name, learner in results["learners"].items():
        full = ran.results["learners"][name]
        assert learner["failures"] == full["failures"]
        assert learner["metrics_over"] == full["metrics_over"]
        for arrival, (found, expected) in enumerate(zip(learner["R"], full["R"], strict=True)):
            assert found[:arrival] == expected[:arrival]
        if way == "audited":
            assert learner["metrics"] == full["metrics"]
    if way == "square":
        for name in BAD:
            assert results["learners"][name]["R"][1][1] is not None  # scored before it came
            assert results["learners"][name]["metrics"]["fwt_gem"] is not None
        return
    rows = [event for event in events_of(out, "evaluate") if event["learner"] == ISOLATED]
    for arrival, row in enumerate(rows, start=1):
        arrived = [task for task in SUITE[:arrival] if task != LONG]
        assert LONG not in [cell["task"] for cell in row["cells"]]
        assert row["certified"] == len(arrived) - len(row["cells"])
    learner = results["learners"][ISOLATED]
    shown = list(itertools.chain(*learner["provenance"][1:]))
    counts = [learner["retention"][f"cells_{how}"] for how in ("measured", "certified", "audited")]
    assert counts == [shown.count(how) for how in ("measured", "certified", "audited")]
    assert sum(counts) == T * (T + 1) // 2 - (T - 1)
    assert learner["provenance"][-1] == ["audited", None, "audited"]
    assert learner["retention"]["verified"]


@pytest.mark.parametrize(
    ("order", "way"),
    [((LONG, "sms_spam", "rte"), "audited"), (("sms_spam", "rte", LONG), "audited"), ((LONG,), "full")],
)
def test_the_first_the_last_and_the_only_task_may_fail(
    ran: Finished, tmp_path: Path, order: tuple[str, ...], way: str
) -> None:
    more: dict[str, Any] = {"suite": ",".join(order), "learners": ",".join(BAD), "evaluate": way}
    more |= {"batch_size": None, "learning_rate": None}  # each of these learners states its own
    more["out"] = str(tmp_path / "run")
    results = run(**{**ran.settings, **more, "store": str(ran.out / "store")}).as_dict()
    others = [task for task in order if task != LONG]
    whole = {**ran.settings, **more, "suite": ",".join(others), "out": str(tmp_path / "whole")}
    spared = run(**{**whole, "store": str(ran.out / "store")}).as_dict()["learners"] if others else None
    for name in BAD:
        learner = results["learners"][name]
        assert [failure["task"] for failure in learner["failures"]] == [LONG]
        assert learner["metrics_over"] == {"tasks": len(others), "of": len(order)}
        if spared:
            assert learner["metrics"] == spared[name]["metrics"]
            assert learner["retention"]["verified"] == spared[name]["retention"]["verified"]
        else:
            assert set(learner["metrics"].values()) == {None}
            assert not learner["retention"]["verified"]
            assert learner["cost"]["growth"] == [1.0]
    told = call("report", str(tmp_path / "run"), "--display", "plain")
    assert told.code == 0
    assert told.out.count("failed: ") == 2


def test_numbers_that_break_at_any_step_end_that_fit_alone(
    ran: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third step of the second task gives a loss that is no number."""
    honest, calls = learners.training.fit.task_loss, itertools.count(1)

    def diverging(output: Any, target: Any) -> Any:
        loss = honest(output, target)
        return loss * float("nan") if output.requires_grad and output.shape[1] == 3 and next(calls) == 3 else loss

    monkeypatch.setattr(learners.training.fit, "task_loss", diverging)
    more = {"learners": "head", "out": str(tmp_path / "run")}
    results = run(**{**ran.settings, **more}).as_dict()
    (failure,) = results["learners"]["head"]["failures"]
    assert (failure["task"], failure["arrival"], failure["step"]) == ("colours", 2, 3)
    assert failure["message"].startswith("the loss is nan at step 3 of ")
    assert fitted_well(tmp_path / "run") == [("head", "sms_spam"), ("head", "rte")]


def test_a_device_without_memory_ends_that_fit_alone_and_the_same_command_repeats_it(
    ran: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = learners.training.fit.task_loss

    def full(output: Any, target: Any) -> Any:
        if output.requires_grad and output.shape[1] == 3:  # colours
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return honest(output, target)

    monkeypatch.setattr(learners.training.fit, "task_loss", full)
    settings = {**ran.settings, "learners": "head", "out": str(tmp_path / "run")}
    (failure,) = run(**settings).as_dict()["learners"]["head"]["failures"]
    assert (failure["task"], failure["type"]) == ("colours", "OutOfMemory")
    assert re.fullmatch(r"cpu has no memory left for batches of \d+ rows of up to \d+ tokens; .*", failure["message"])
    assert fitted_well(tmp_path / "run") == [("head", "sms_spam"), ("head", "rte")]
    assert "smaller --batch-size or --max-length" in call("report", settings["out"], "--display", "plain").out
    monkeypatch.undo()
    assert not run(**settings).as_dict()["learners"]["head"]["failures"]


def test_an_answer_that_is_no_number_is_an_empty_cell(
    ran: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finite on the validation rows and not on a test row: nothing is scored, nothing is made up."""
    honest = learners.training.predict.predict

    def overflowing(*arguments: Any) -> Any:
        logits = honest(*arguments)
        if logits.shape[1] == 3:  # colours
            logits[0, 0] = float("inf")
        return logits

    monkeypatch.setattr(stream.execution.evaluate_job, "predict", overflowing)
    for way in ("full", "audited"):
        more = {"learners": "head,full:sequential", "evaluate": way}
        results = run(**{**ran.settings, **more, "out": str(tmp_path / way)}).as_dict()
        for learner in results["learners"].values():
            assert [row[1] for row in learner["R"]] == [None] * 4
            assert [row[1] for row in learner["provenance"]] == [None] * 4
            (failure,) = learner["failures"]
            assert (failure["task"], failure["arrival"], failure["type"]) == ("colours", 0, "NotFinite")
            assert learner["metrics_over"] == {"tasks": 2, "of": 3}
            assert learner["metrics"]["average_accuracy"] == (learner["R"][3][0] + learner["R"][3][2]) / 2
            assert learner["retention"]["violations"] == []


def deltas_of_good(out: Path) -> dict[tuple[str, str], str]:
    return {(e["learner"], e["task"]): e["delta"] for e in events_of(out, "fit") if "failed" not in e}


def fitted_well(out: Path) -> list[tuple[str, str]]:
    failed = {(e["learner"], e["task"]) for e in events_of(out, "fit") if "failed" in e}
    return [fit for fit in fitted(out) if fit not in failed]
