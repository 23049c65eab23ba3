"""Strategies of Avalanche in a run: verified, continued, made again where no process holds them, and what fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stream.avalanche.loop
from learners.divergence import Diverged
from stream import run
from stream.avalanche.trainer import Trainer
from stream.failure import RunFailed
from stream.verify import verify
from tasks.errors import InputErrors
from tests.runs import Answer, Finished, deltas_of, events_of, fitted, tiny_settings

LEARNERS = ("full:sequential", "avalanche:replay:mem_size=12", "avalanche:ewc", "avalanche:joint")
TASKS = ("sms_spam", "colours", "stsb")
Start = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def whole(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of all, once; tests read it."""
    given = {"suite": ",".join(TASKS), "order": ",".join(TASKS), "learners": ",".join(LEARNERS), "seed": 3}
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path_factory.mktemp("whole"), **given, evaluate="square")
    run(**settings)
    return Finished(Path(settings["out"]), settings, Answer(0, "", ""))


@pytest.fixture
def start(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> Start:
    def called(folder: str, tasks: tuple[str, ...] = TASKS, learners: tuple[str, ...] = LEARNERS, **more: Any) -> Any:
        given = {"suite": ",".join(tasks), "order": ",".join(tasks), "learners": ",".join(learners), "seed": 3}
        return run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path / folder, **given, **more))

    return called


def test_a_run_is_verified_and_goes_on_where_it_ended(whole: Finished, start: Start, tmp_path: Path) -> None:
    """With a task more, the strategies are made again from the tasks before; the same as in one go."""
    assert verify(whole.out, rerun=None).passed
    start("parts", TASKS[:2], evaluate="square")
    first = deltas_of(tmp_path / "parts")
    parts = start("parts", evaluate="square")
    assert verify(tmp_path / "parts").passed
    assert deltas_of(tmp_path / "parts") == deltas_of(whole.out)
    for name in LEARNERS:
        assert parts["learners"][name]["R"] == whole.results["learners"][name]["R"]
        same = [first[name, task] == deltas_of(whole.out)[name, task] for task in TASKS[:2]]
        assert same == [name != "avalanche:joint"] * 2, "joint training foresees the task that came later"
    done = fitted(tmp_path / "parts")
    assert [task for name, task in done if name == "avalanche:ewc"] == list(TASKS)
    assert [task for name, task in done if name == "avalanche:joint"] == [*TASKS[:2], *TASKS]


def test_the_account_counts_what_is_kept(whole: Finished) -> None:
    results = whole.results["learners"]
    for name in LEARNERS:
        events = [event for event in events_of(whole.out, "fit") if event["learner"] == name]
        cost = results[name]["cost"]
        sizes = [
            *(event["head_bytes"] for event in events[:-1]),
            events[-1]["bytes"] + events[-1].get("memory_bytes", 0),
        ]
        assert list(cost["bytes_per_task"].values()) == sizes
        assert cost["after_each_arrival"][-1]["bytes"] == sum(sizes)
        assert ("memory_bytes" in events[0]) == name.startswith("avalanche")
        assert set(cost["trained_parameters_per_task"].values()) == {events[0]["parameters"]}, "heads left out"
        assert cost["growth_without_heads"] == [1.0] * 3
    memory = {name: [e["memory_bytes"] for e in events_of(whole.out, "fit") if e["learner"] == name]
              for name in LEARNERS[1:]}  # fmt: skip
    assert memory["avalanche:joint"] == [0, 0, 0]
    assert 2 * memory["avalanche:ewc"][0] < memory["avalanche:ewc"][1] < memory["avalanche:ewc"][2]
    assert 0 < memory["avalanche:replay:mem_size=12"][2] < memory["avalanche:ewc"][0]


def test_a_recipe_names_all_that_a_strategy_met(whole: Finished) -> None:
    deltas, data = deltas_of(whole.out), {}
    recipes = {}
    for path in (whole.out / "store" / "fits").glob("*.json"):
        recipe = json.loads(path.read_text())["record"]["recipe"]
        recipes[recipe["learner"]["family"], recipe["learner"].get("avalanche", "")[:6], recipe["task"]] = recipe
        data[recipe["task"]] = recipe["data"]
    assert all("met" not in recipe for (family, *_), recipe in recipes.items() if family == "full")
    met = recipes["avalanche", "{ewc={", TASKS[2]]["met"]
    assert met["learned"] == [[task, data[task], deltas["avalanche:ewc", task]] for task in TASKS[:2]]
    assert met["foreseen"] == []
    assert recipes["avalanche", "{joint", TASKS[0]]["met"]["foreseen"] == [[task, data[task]] for task in TASKS]


def test_other_bits_on_the_way_back_are_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start("run", TASKS[:2], ("avalanche:ewc",))
    honest = stream.avalanche.loop.schedule
    monkeypatch.setattr(stream.avalanche.loop, "schedule", lambda *arguments: 0.9 * honest(*arguments))
    with pytest.raises(RunFailed, match=r"Nondeterminism.*task sms_spam was learned again.*another Delta: expected"):
        start("run", TASKS, ("avalanche:ewc",))


def test_a_stream_goes_on_as_if_a_task_that_diverged_had_not_come(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = ("avalanche:replay:mem_size=12",)
    start("without", (TASKS[0], TASKS[2]), learners)
    honest = Trainer._validate

    def diverging(trainer: Trainer) -> tuple[float, float]:
        if trainer.met[-1].task.name == TASKS[1]:
            raise Diverged("the validation loss is nan", 4)
        return honest(trainer)

    monkeypatch.setattr(Trainer, "_validate", diverging)
    results = start("with", TASKS, learners)
    monkeypatch.undo()
    (failure,) = results["learners"][learners[0]]["failures"]
    assert (failure["task"], failure["step"], failure["type"]) == (TASKS[1], 4, "Diverged")
    events = {event["task"]: event for event in events_of(tmp_path / "with", "fit")}
    assert events[TASKS[1]]["flops"] > 0
    assert events[TASKS[2]]["delta"] == deltas_of(tmp_path / "without")[learners[0], TASKS[2]]
    assert verify(tmp_path / "with").passed


def test_a_wrong_name_is_told_before_anything_is_learned(start: Start, tmp_path: Path) -> None:
    with pytest.raises(InputErrors) as raised:
        start("run", TASKS, ("avalanche:replya", "avalanche:ewc:lambda=1"))
    told = [str(error) for error in raised.value.errors]
    assert ["did you mean replay" in told[0], "did you mean ewc_lambda" in told[1]] == [True, True]
    assert not (tmp_path / "run" / "ledger.jsonl").exists()
