"""Strategies of Avalanche in a run: verified, continued, made again where no process holds them, and what fails."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import stream.avalanche.loop
import stream.execution.workbench
from learners.training.divergence import Diverged
from learners.training.result import Fit
from stream import run
from stream.avalanche.session import Session
from stream.config.resolve import resolve_config
from stream.engine.context import prepare
from stream.errors import RunFailed
from stream.execution.fit_job import train
from stream.execution.job import execute
from stream.execution.workbench import Workbench, open_workbench
from stream.storage.events import event_of, job_of
from stream.storage.job import Job
from stream.verification import verify
from tasks.encoded import EncodedTask
from tasks.errors import InputErrors
from tests.runs import Answer, Finished, call, deltas_of, events_of, fitted, tiny_settings

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
        return run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path / folder, **given, **more)).as_dict()

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


def test_the_version_of_the_library_is_in_the_results_and_in_what_is_shared(whole: Finished, tmp_path: Path) -> None:
    assert whole.results["environment"]["avalanche-lib"] == version("avalanche-lib")
    call("export", str(whole.out), "--to-dir", str(tmp_path / "shared"), "--task", "stsb")
    folders = [path.parent for path in (tmp_path / "shared" / "models").rglob("config.json")]
    versions = {path.parent.name: json.loads((path / "config.json").read_text())["versions"] for path in folders}
    assert {name for name, each in versions.items() if "avalanche-lib" in each} == {
        name for name in versions if name.startswith("avalanche")
    }
    assert len(versions) == len(LEARNERS)


def test_the_account_counts_what_is_kept(whole: Finished) -> None:
    results = whole.results["learners"]
    for name in LEARNERS:
        events = [event for event in events_of(whole.out, "fit") if event["learner"] == name]
        cost = results[name]["cost"]
        newer = [f"heads.{event['task']}.bias" in events[-1]["digests"] for event in events[:-1]]
        assert newer == [name in LEARNERS[1:3]] * 2, "rows of a memory, and penalties, move earlier heads"
        sizes = [
            *(0 if newer[place] else event["head_bytes"] for place, event in enumerate(events[:-1])),
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
        data[recipe["task"]] = [recipe["data"], recipe["scoring"]]
    assert all("met" not in recipe for (family, *_), recipe in recipes.items() if family == "full")
    met = recipes["avalanche", "{ewc={", TASKS[2]]["met"]
    assert met["learned"] == [[task, *data[task], deltas["avalanche:ewc", task]] for task in TASKS[:2]]
    assert met["foreseen"] == []
    assert recipes["avalanche", "{joint", TASKS[0]]["met"]["foreseen"] == [[task, *data[task]] for task in TASKS]


def test_other_bits_on_the_way_back_are_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start("run", TASKS[:2], ("avalanche:ewc",))
    honest = stream.avalanche.loop.schedule
    monkeypatch.setattr(stream.avalanche.loop, "schedule", lambda *arguments: 0.9 * honest(*arguments))
    with pytest.raises(
        RunFailed,
        match=r"Nondeterminism.*the fit of task sms_spam was repeated.*another Delta: expected.*another --out",
    ):
        start("run", TASKS, ("avalanche:ewc",))


def test_naive_in_a_run_is_full_sequential(start: Start, tmp_path: Path) -> None:
    """So what another strategy has for more or less, it has for what it does."""
    start("run", TASKS, ("full:sequential", "avalanche:naive"))
    found = deltas_of(tmp_path / "run")
    assert all(found["full:sequential", task] == found["avalanche:naive", task] for task in TASKS)
    assert len(fitted(tmp_path / "run")) == 2 * len(TASKS)


@pytest.mark.parametrize("held", [0, 1, 2, "another"])
def test_what_is_held_is_not_learned_again(held: int | str, whole: Finished) -> None:
    """A process that holds the strategy of an earlier arrival does the fits since; another one's, all."""
    bench = open_workbench(prepare(resolve_config(whole.settings, origin="call")[0]).setup())
    fits = [event_of(event) for event in events_of(whole.out, "fit") if event["learner"] == "avalanche:ewc"]
    jobs = [Job("fit", "avalanche:ewc", t, (task,)) for t, task in enumerate(TASKS, start=1)]
    learner, earlier = bench.learners["avalanche:ewc"], fits[: held if isinstance(held, int) else 1]
    for place in range(len(earlier)):
        train(bench, jobs[place], learner, None, earlier[:place], lambda event: None)
    if held == "another":
        held_session = bench.trainer_states["avalanche:ewc"]
        assert isinstance(held_session, Session)
        held_session.learned[0] = "another"
    honest, learned = Session.learn, []

    def noted(trainer: Session, data: EncodedTask, *given: Any) -> Fit:
        learned.append(data.task.name)
        return honest(trainer, data, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "learn", noted)
        trained = train(bench, jobs[2], learner, None, fits[:2], lambda event: None)
    assert learned == list(TASKS[0 if held == "another" else held :])
    assert (trained.fit.delta.id, trained.state_bytes) == (fits[2].delta, fits[2].memory_bytes)


def test_what_is_learned_again_is_told_as_such(whole: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.avalanche.loop, "PROGRESS_SECONDS", -1.0)
    bench = open_workbench(prepare(resolve_config(whole.settings, origin="call")[0]).setup())
    fits = [event_of(event) for event in events_of(whole.out, "fit") if event["learner"] == "avalanche:ewc"]
    told: list[dict[str, object]] = []
    job = Job("fit", "avalanche:ewc", 3, (TASKS[2],))
    train(bench, job, bench.learners["avalanche:ewc"], None, fits[:2], told.append)
    assert [*dict.fromkeys(event.get("again") for event in told)] == [*TASKS[:2], None]


def test_foreseen_tasks_are_let_go_one_by_one(whole: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream may have more tasks than a process files."""
    monkeypatch.setattr(stream.execution.workbench, "OPEN_TASKS", 1)
    bench = open_workbench(prepare(resolve_config(whole.settings, origin="call")[0]).setup())
    honest, held = Workbench.data, list[weakref.ref[EncodedTask]]()
    alive: list[int] = []

    def noted(at: Workbench, name: str) -> EncodedTask:
        alive.append(len({each() for each in held} - {None}))
        found = honest(at, name)
        held.append(weakref.ref(found))
        return found

    monkeypatch.setattr(Workbench, "data", noted)
    job = Job("fit", "avalanche:joint", 1, TASKS[2:])
    train(bench, job, bench.learners["avalanche:joint"], None, (), lambda _: None)
    assert alive == [0, 1, 2, 2], "the job's own, and of the others the one before, until the next is there"


def test_a_fit_opens_no_earlier_task(whole: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those the recipe wants the id alone, which is known."""
    bench = open_workbench(prepare(resolve_config(whole.settings, origin="call")[0]).setup())
    events = [event_of(event) for event in events_of(whole.out, "fit") if event["learner"] == "avalanche:ewc"]
    fits = {job_of(event): event for event in events}
    job = Job("fit", "avalanche:ewc", 3, (TASKS[2],), tuple(fits)[:2], True)
    assert execute(bench, job, {need: fits[need] for need in job.needs}, lambda event: None).cached
    assert [*bench.opened] == [TASKS[2]]


def test_a_stream_goes_on_as_if_a_task_that_diverged_had_not_come(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = ("avalanche:replay:mem_size=12",)
    start("without", (TASKS[0], TASKS[2]), learners)
    honest = Session._validate

    def diverging(trainer: Session) -> tuple[float, float]:
        if trainer.seen[-1].task.name == TASKS[1]:
            raise Diverged("the validation loss is nan", 4)
        return honest(trainer)

    monkeypatch.setattr(Session, "_validate", diverging)
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
