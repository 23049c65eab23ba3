"""The learner that reads words, through the real command: same R, account and proof as every learner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from learners.delta.stored import stored_delta
from learners.specification.family import parse_learner
from stream import run
from stream.results.results import load_results
from stream.verification import verify
from tests.runs import as_arguments, call, deltas_of, events_of, read_results, tiny_settings

TASKS = ("sms_spam", "colours", "rte", "stsb")  # two classes, three, pairs, a regression of pairs
LEARNERS = "nobert,nobert:words,head"


@pytest.fixture(scope="module")
def given(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a finished run."""
    out = tmp_path_factory.mktemp("nobert") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=LEARNERS, suite=",".join(TASKS))
    run(**settings)
    return settings


def test_every_cell_is_proved(given: dict[str, Any]) -> None:
    verdict = verify(given["out"], rerun=None)
    assert verdict.findings == ()
    assert verdict.counts["rerun"]["cells"] > 0
    for learner in ("nobert", "nobert:words"):
        retention = read_results(Path(given["out"]))["learners"][learner]["retention"]
        assert retention["verified"]
        assert retention["cells_measured"] == len(TASKS) * (len(TASKS) + 1) / 2


def test_it_learns_every_kind_of_task(given: dict[str, Any]) -> None:
    results = read_results(Path(given["out"]))
    for learner in ("nobert", "nobert:words"):
        matrix = results["learners"][learner]["R"]
        assert all(score > before + 0.3 for score, before in zip(matrix[-1], matrix[0], strict=True))


def test_the_account_is_of_what_is_stored(given: dict[str, Any]) -> None:
    out = Path(given["out"])
    results = read_results(out)
    for learner in ("nobert", "nobert:words"):
        cost, growth = results["learners"][learner]["cost"], 0.0
        for arrival, task in enumerate(TASKS):
            delta = stored_delta(out / "store" / "deltas" / f"{deltas_of(out)[learner, task]}.safetensors")
            assert cost["kept_parameters_per_task"][task] == delta.counts.added > 0
            assert cost["head_parameters_per_task"][task] == results["tasks"][task]["classes"]
            assert cost["bytes_per_task"][task] == delta.size < 1_000_000
            growth += delta.counts.added / results["backbone"]["parameters"]
            assert cost["growth_without_heads"][arrival] == pytest.approx(growth)  # the backbone is left out
        assert cost["train_flops"] > 0


def test_the_choice_is_on_record(given: dict[str, Any]) -> None:
    out = Path(given["out"])
    model = parse_learner("nobert").text_model
    assert model is not None
    names = [candidate.specification("nobert") for candidate in model.candidates]
    choices = load_results(out).learners["nobert"].selection
    fits = {event["task"]: event for event in events_of(out, "fit") if event["learner"] == "nobert"}
    for task in TASKS:
        assert list(choices[task].candidates) == names
        assert choices[task].chosen == names[fits[task]["best"]]
        assert choices[task].candidates[choices[task].chosen] == max(fits[task]["validation"])
        assert parse_learner(choices[task].chosen).family == "nobert"
    shown = call("report", str(out), "--display", "plain").out
    assert "runner-up" in shown


def test_other_processes_and_orders_give_the_same(given: dict[str, Any], tmp_path: Path) -> None:
    other = {**given, "out": str(tmp_path / "other"), "workers": 2, "order": ",".join(reversed(TASKS)), "epochs": 2}
    run(**other)
    mine = deltas_of(Path(other["out"]))
    then = deltas_of(Path(given["out"]))
    assert {key: delta for key, delta in mine.items() if key[0] != "head"} == {
        key: delta for key, delta in then.items() if key[0] != "head"
    }


def test_alternatives(given: dict[str, Any], tmp_path: Path) -> None:
    """Two pipelines as alternatives: fits that the run has are taken from its store."""
    store = str(Path(given["out"]) / "store")
    out = tmp_path / "alternatives"
    answer = call("run", *as_arguments({**given, "learners": "nobert:words/ngrams,head", "out": out, "store": store}))
    assert answer.code == 0, answer.err
    results = read_results(out)
    choices = results["learners"]["nobert:words/ngrams"]["selection"]
    assert {*choices} == {*TASKS}
    assert all(set(choice["candidates"]) == {"nobert:words", "nobert:ngrams"} for choice in choices.values())
    assert verify(out, rerun=None).findings == ()
    cached = {(event["candidate"], event["cached"]) for event in events_of(out, "search")}
    assert cached == {("nobert:words", True), ("nobert:ngrams", False)}


def test_settings_of_training_do_not_apply(given: dict[str, Any], tmp_path: Path) -> None:
    answer = call("run", *as_arguments({**given, "learners": "nobert", "out": tmp_path / "refused"}))
    assert answer.code == 2
    assert "no learner that trains" in answer.err


def test_cost_needs_no_data(given: dict[str, Any]) -> None:
    answer = call("cost", "--backbone", given["backbone"], "--suite", "sst2,stsb", "--learners", "nobert:words",
                  "--display", "json")  # fmt: skip
    found = json.loads(answer.out)
    learner, whole = found["learners"]["nobert:words"], found["backbone"]["parameters"]
    assert learner["head_parameters"] == {"sst2": 2, "stsb": 1}
    # At most: an idf for each bucket and a weight for each bucket, and for five features of pairs, and output.
    expected = (2 * 16_384 + 3 * (16_384 + 5)) / whole
    assert learner["growth_without_heads"] == pytest.approx(expected)
