"""The installed command, once, from nothing to the report: the contract of the run folder and of results.json."""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from learners.delta.delta import load_delta
from stream import run
from stream.results.metrics import metrics
from stream.storage.learner_folder import folder_name
from stream.storage.store import read_record
from tests.runs import (
    Finished,
    as_arguments,
    call,
    deltas_of,
    ledger_of,
    matrices_of,
    start_anew,
    tiny_settings,
    wait,
)

SUITE = ["sms_spam", "rte", "stsb", "colours"]
LEARNERS = ["full:isolated", "full:sequential", "topk:1", "layernorm", "adapter:4", "adapterbias:share=alpha:l0=1e-4"]


@pytest.fixture(scope="module")
def finished(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Four tasks, six learners, plain lines: `taskstream run ...` as a user gives it, a process of its own."""
    out = tmp_path_factory.mktemp("command") / "runs" / "first"
    more = {"suite": ",".join(SUITE), "learners": ",".join(LEARNERS), "test_examples": 6}
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, **more)
    return Finished(out, settings, wait(start_anew("run", *as_arguments(settings), "--display", "plain")))


def test_it_ends_well_and_reports(finished: Finished) -> None:
    assert finished.answer.code == 0, finished.answer.err
    assert finished.answer.err == ""
    out = finished.answer.out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 120
    for name in LEARNERS:
        assert name.split(":")[0] in out
    for task in SUITE:
        assert task in out
    assert str(finished.out) in out.replace("\n", "")


def test_the_run_folder(finished: Finished) -> None:
    assert {entry.name for entry in finished.out.iterdir()} == {
        "config.toml",
        "ledger.jsonl",
        "ledger.lock",  # empty; held by the one process that may write
        "results.json",
        "store",
        *map(folder_name, LEARNERS),
    }
    for name in LEARNERS:
        assert os.listdir(finished.out / finished.results["learners"][name]["folder"]) == ["R.csv"]
    deltas = {path.stem for path in (finished.out / "store" / "deltas").iterdir()}
    assert deltas == set(deltas_of(finished.out).values())
    assert all(load_delta(path).id == path.stem for path in (finished.out / "store" / "deltas").iterdir())
    records = [read_record(path) for path in (finished.out / "store" / "fits").iterdir()]
    assert len(records) == len(SUITE) * len(LEARNERS)
    assert {record["delta"] for record in records} == deltas


def test_results(finished: Finished) -> None:
    """Section by section; every number finite, None only where something is not defined."""
    results = finished.results
    assert results["schema"] == 1
    assert results["suite"] == ",".join(SUITE)
    assert results["source"] == finished.settings["source"]
    assert results["order"] == SUITE
    assert results["seed"] == 0
    assert results["backbone"].keys() >= {"name", "id", "parameters"}
    assert results["backbone"]["name"] == finished.settings["backbone"]
    assert len(results["backbone"]["id"]) == 64
    assert results["backbone"]["parameters"] == 6032
    assert list(results["tasks"]) == SUITE
    kinds = {"sms_spam": "single", "rte": "pair", "stsb": "regression", "colours": "single"}
    classes = {"sms_spam": 2, "rte": 2, "stsb": 1, "colours": 3}
    for name, facts in results["tasks"].items():
        assert facts.keys() >= {"metric", "classes", "train", "test", "kind"}
        assert (facts["kind"], facts["classes"]) == (kinds[name], classes[name])
        assert facts["metric"] == ("spearman" if name == "stsb" else "accuracy")
        assert facts["test"] <= 6 < facts["train"]
    environment = results["environment"]
    assert {"python", "torch", "transformers", "numpy", "threads", "device", "dtype"} <= environment.keys()
    assert all(value for name, value in environment.items() if name != "settings")  # of the arithmetic: none set


@pytest.mark.parametrize("name", LEARNERS)
def test_results_of_a_learner(finished: Finished, name: str) -> None:
    learner = finished.results["learners"][name]
    t = len(SUITE)
    assert learner.keys() >= {"spec", "sharing", "R", "baseline", "provenance", "metrics", "cost", "retention"}
    assert learner["spec"] == name
    assert learner["sharing"] == ("sequential" if name == "full:sequential" else "isolated")
    assert [len(row) for row in learner["R"]] == [len(row) for row in learner["provenance"]] == [t] * (t + 1)
    assert learner["baseline"] == learner["R"][0]
    for arrival, (row, hows) in enumerate(zip(learner["R"], learner["provenance"], strict=True)):
        seen = arrival or t  # all before training, then those that arrived
        assert [how and how.removeprefix("partly-") for how in hows] == ["measured"] * seen + [None] * (t - seen)
        assert hows[0] == "measured" or not arrival or name == "topk:1"
        assert row[seen:] == [None] * (t - seen)
        assert all(-1 <= score <= 1 for score in row[:seen])
    assert learner["metrics"].keys() == metrics().keys()
    for metric in ("average_accuracy", "average_incremental_accuracy", "learning_accuracy", "bwt_gem"):
        assert math.isfinite(learner["metrics"][metric])
    assert math.isfinite(learner["metrics"]["forgetting_chaudhry"])
    assert learner["metrics"]["average_accuracy"] == pytest.approx(sum(learner["R"][-1]) / t)
    cost = learner["cost"]
    for account in ("trained_parameters_per_task", "head_parameters_per_task", "bytes_per_task"):
        assert list(cost[account]) == SUITE
        assert all(isinstance(value, int) and value > 0 for value in cost[account].values())
    assert len(cost["growth"]) == len(cost["growth_without_heads"]) == t
    for total in ("train_flops", "train_seconds", "evaluate_seconds", "peak_memory_bytes"):
        assert cost[total] > 0
    partly = sum(how == "partly-measured" for row in learner["provenance"][1:] for how in row)
    retention = {"cells_partly_measured": 0} | learner["retention"]
    assert retention == {
        "verified": learner["sharing"] == "isolated",
        "cells_partly_measured": partly,
        "cells_measured": t * (t + 1) // 2 - partly,
        "cells_certified": 0,
        "cells_audited": 0,
        "violations": [],
    }


def test_settings_and_their_origins(finished: Finished) -> None:
    text = (finished.out / "config.toml").read_text(encoding="utf-8")
    written = tomllib.loads(text)
    given = {key: value for key, value in finished.settings.items() if key in written}
    assert {key: written[key] for key in given} == given
    origins = {line.split()[0]: line.rpartition("# ")[2] for line in text.splitlines()[1:] if " = " in line}
    assert all(origins[key] == "command line" for key in given)
    assert origins["seed"] == origins["evaluate"] == "default"


def test_the_same_command_again_runs_nothing(finished: Finished) -> None:
    before, count = finished.results, len(ledger_of(finished.out))
    told: list[dict[str, Any]] = []
    assert run(**finished.settings, handle=told.append).as_dict() == before
    opening = next(event for event in told if event["event"] == "run")
    assert opening["jobs"] == opening["cached"] == len(LEARNERS) * (1 + 2 * len(SUITE))
    assert not [event for event in told if event["event"] == "start"]
    assert ledger_of(finished.out)[count:] == []


@pytest.mark.usefixtures("warm_workers")
def test_two_workers_give_what_one_process_gave(
    finished: Finished, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """Sequential learners too: jobs are pure, so where they run does not matter."""
    learners = "full:sequential,adapter:4,adapterbias:share=alpha:l0=1e-4"
    results = run(**{**finished.settings, "learners": learners, "workers": 2, "out": str(tmp_path)}).as_dict()
    expected, found = deltas_of(finished.out), deltas_of(tmp_path)
    assert found == {key: expected[key] for key in found}
    assert matrices_of(results) == {name: matrices_of(finished.results)[name] for name in learners.split(",")}
    logits = [
        {(e["learner"], e["arrival"], c["task"]): c["logits"] for e in ledger_of(out) for c in e.get("cells", ())}
        for out in (finished.out, tmp_path)
    ]
    assert logits[1].items() <= logits[0].items()


def test_its_report_is_printed_again(finished: Finished) -> None:
    answer = call("report", str(finished.out), "--display", "json")
    assert json.loads(answer.out) == finished.results
    plain = call("report", str(finished.out), "--display", "plain").out
    assert all(name.split(":")[0] in plain for name in LEARNERS)
    listed = json.loads(call("list", "runs", str(finished.out.parent), "--display", "json").out)
    assert [(row["run"], row["arrivals"]) for row in listed] == [(str(finished.out), "4/4")]
