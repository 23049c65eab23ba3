"""Interruptions of every kind: no finished fit is lost, nothing altered is trusted."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from learners.delta.delta import load_delta
from stream import run, verify
from stream.storage.store import Store
from tests.runs import (
    TASKS,
    Answer,
    Forked,
    as_arguments,
    call,
    deltas_of,
    events_of,
    fitted,
    ledger_of,
    matrices_of,
    read_results,
    start,
    tiny_settings,
    wait,
)

LEARNERS = ["adapter:4", "full:sequential", "head"]


@pytest.fixture(scope="module")
def base(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a finished, uninterrupted run."""
    out = tmp_path_factory.mktemp("base") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=",".join(LEARNERS), epochs=2)
    run(**settings)
    return settings


@pytest.fixture
def copy(base: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """The same run in a folder that a test may harm."""
    shutil.copytree(base["out"], tmp_path / "run")
    return {**base, "out": str(tmp_path / "run")}


def whole(provenance: list[list[str | None]]) -> list[list[str | None]]:
    """The provenance without the word for frozen layers from a cache: each process runs them once."""
    return [[how and how.removeprefix("partly-") for how in row] for row in provenance]


def command(settings: dict[str, Any]) -> Answer:
    return call("run", *as_arguments(settings), "--display", "none")


def interrupt(process: Forked, out: Path, lines: int, how: signal.Signals, delay: float) -> None:
    """Send a signal once the ledger holds so many lines; the run must still be at work then."""
    ledger = out / "ledger.jsonl"
    while not (ledger.exists() and ledger.read_bytes().count(b"\n") >= lines):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(how)


def test_killed_and_interrupted_it_goes_on(base: dict[str, Any], tmp_path: Path) -> None:
    """kill -9 among two workers, a torn line, Ctrl-C, then to the end in one process: the results of one go."""
    out = tmp_path / "run"
    settings = {**base, "out": str(out), "workers": 2}
    arguments = ["run", *as_arguments(settings), "--display", "plain"]
    draw = random.Random(7)  # moments differ from machine to machine anyway; the delays need not

    process = start(*arguments)
    interrupt(process, out, 4, signal.SIGKILL, draw.random() / 50)
    assert wait(process).code == -signal.SIGKILL
    with (out / "ledger.jsonl").open("a") as file:
        file.write('{"event": "fit", "learner": "adap')
    first = fitted(out)

    process = start(*arguments, "--workers", "1")
    interrupt(process, out, len(ledger_of(out)) + 2, signal.SIGINT, draw.random() / 50)
    answer = wait(process)
    assert answer.code == 130, answer.err
    assert "Traceback" not in answer.err
    assert len(answer.errors) == 1, answer.err
    line = answer.errors[0]
    assert "continue with: taskstream run --suite" in line
    assert str(out) in line
    second = fitted(out)
    assert first == second[: len(first)]

    answer = command({**settings, "workers": 1})
    assert (answer.code, answer.err) == (0, "")
    done = fitted(out)
    assert second == done[: len(second)]
    assert len(done) == len(set(done)) <= len(LEARNERS) * len(TASKS)  # no fit twice; one may be found in the store
    finished = Path(base["out"])
    assert deltas_of(out) == deltas_of(finished)
    results, expected = read_results(out), read_results(finished)
    assert matrices_of(results) == matrices_of(expected)
    for name in LEARNERS:
        here, there = results["learners"][name], expected["learners"][name]
        assert here["metrics"] == there["metrics"]
        assert here["retention"]["verified"] == there["retention"]["verified"]
        assert whole(here["provenance"]) == whole(there["provenance"])


def test_a_torn_last_line_is_cut_off(copy: dict[str, Any]) -> None:
    ledger = Path(copy["out"]) / "ledger.jsonl"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[: whole.rstrip(b"\n").rfind(b"\n") - 20])
    expected = read_results(Path(copy["out"]))
    answer = command(copy)
    assert (answer.code, answer.err) == (0, "")
    assert matrices_of(read_results(Path(copy["out"]))) == matrices_of(expected)
    assert len(fitted(Path(copy["out"]))) == len(LEARNERS) * len(TASKS)


def test_an_altered_line_is_refused_by_its_number(copy: dict[str, Any]) -> None:
    ledger = Path(copy["out"]) / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines, start=1) if json.loads(line)["event"] == "evaluate")
    event = json.loads(lines[number - 1])
    event["cells"][0]["score"] = 0.99
    lines[number - 1] = json.dumps(event) + "\n"
    ledger.write_text("".join(lines))
    answer = command(copy)
    assert answer.code == 2
    (line,) = answer.errors
    assert line.startswith(f"error: {ledger}, line {number}: the ledger was altered")


def test_another_seed_needs_another_folder(copy: dict[str, Any]) -> None:
    before = (Path(copy["out"]) / "ledger.jsonl").read_bytes()
    answer = command({**copy, "seed": 1, "epochs": 3})
    assert answer.code == 2
    assert len(answer.errors) == 2
    for line, key in zip(answer.errors, ("seed", "epochs"), strict=True):
        assert line.startswith("error: ")
        assert f"{key} differs" in line
        assert "--out" in line
    assert (Path(copy["out"]) / "ledger.jsonl").read_bytes() == before


def test_more_tasks_and_learners_reuse_all_fits(copy: dict[str, Any]) -> None:
    out = Path(copy["out"])
    before = fitted(out)
    more = {**copy, "suite": copy["suite"] + ",stsb", "learners": copy["learners"] + ",majority"}
    assert command(more).code == 0
    added = fitted(out)[len(before) :]
    assert set(added) == {(name, "stsb") for name in LEARNERS} | {("majority", t) for t in (*TASKS, "stsb")}
    assert len(added) == len(set(added))


def test_a_lost_delta_is_learned_again_and_nothing_else(copy: dict[str, Any]) -> None:
    out = Path(copy["out"])
    for learner, task in (("adapter:4", TASKS[1]), ("full:sequential", TASKS[0])):
        before, expected, lost = fitted(out), read_results(out), deltas_of(out)[learner, task]
        Store(out / "store").delta_path(lost).unlink()
        assert command(copy).code == 0
        assert fitted(out)[len(before) :] == [(learner, task)]
        assert deltas_of(out)[learner, task] == lost
        assert matrices_of(read_results(out)) == matrices_of(expected)


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) - 9] ^= 16
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("learner", "harm", "workers"),
    [("adapter:4", flip, 1), ("full:sequential", lambda path: os.truncate(path, 40), 2)],
)
def test_a_damaged_delta_costs_one_fit(copy: dict[str, Any], learner: str, harm: Any, workers: int) -> None:
    out, before = Path(copy["out"]), fitted(Path(copy["out"]))
    at = 0 if learner == "adapter:4" else len(TASKS) - 1  # read for each row, and as the start of the next fit
    lost = deltas_of(out)[learner, TASKS[at]]
    path = Store(out / "store").delta_path(lost)
    harm(path)
    damaged, notices = path.read_bytes(), list[str]()
    more = {**copy, "suite": copy["suite"] + ",stsb", "workers": workers}
    run(**more, handle=lambda event: notices.append(event["message"]) if event["event"] == "notice" else None)
    added = fitted(out)[len(before) :]
    assert sorted(added) == sorted([(learner, TASKS[at]), *((name, "stsb") for name in LEARNERS)])
    (notice,) = [text for text in notices if "put aside" in text]
    aside = out / "store" / "damaged" / path.name
    assert f"{path}, put aside as {aside}; fit/{learner}/{at + 1} is done again" in notice
    assert aside.read_bytes() == damaged
    assert load_delta(path, lost).id == lost
    assert verify(out, rerun="all").passed


def test_each_damaged_delta_of_a_row_costs_one_fit(copy: dict[str, Any]) -> None:
    """A row of an isolated learner reads the Deltas of all tasks."""
    out, before = Path(copy["out"]), fitted(Path(copy["out"]))
    lost = [deltas_of(out)["head", task] for task in TASKS]
    for delta in lost:
        os.truncate(Store(out / "store").delta_path(delta), 40)
    assert command({**copy, "suite": copy["suite"] + ",stsb"}).code == 0
    added = fitted(out)[len(before) :]
    assert sorted(added) == sorted([*(("head", task) for task in TASKS), *((name, "stsb") for name in LEARNERS)])
    assert [deltas_of(out)["head", task] for task in TASKS] == lost
    assert verify(out, rerun="all").passed


def test_a_damaged_record_costs_one_fit(copy: dict[str, Any], tmp_path: Path) -> None:
    """Found by another run on the store, and by the run itself."""
    out, store = Path(copy["out"]), Store(Path(copy["out"]) / "store")
    other = {**copy, "out": str(tmp_path / "other"), "store": str(store.root)}
    notices: list[str] = []
    for settings in (other, copy):
        event = events_of(out, "fit")[1]
        path, folder = store.fit_path(event["recipe"]), Path(settings["out"])
        path.write_text(path.read_text().replace('"seconds"', '"second"'))
        before = fitted(folder) if folder.exists() else []
        notices.clear()
        run(**settings, handle=lambda event: notices.append(str(event.get("message"))))
        where = f"{path}, put aside as {store.root / 'damaged' / path.stem}"
        assert sum(where in notice for notice in notices) == 1
        assert fitted(folder)[len(before) :] == [(event["learner"], event["task"])]
        assert verify(folder).passed
    assert len([*(store.root / "damaged").iterdir()]) == 2


def test_a_fit_is_found_by_another_run_on_the_same_store(copy: dict[str, Any], tmp_path: Path) -> None:
    other = {**copy, "out": str(tmp_path / "other"), "store": str(Path(copy["out"]) / "store"), "order": "seed:5"}
    run(**other)
    isolated = [fit for fit in fitted(tmp_path / "other") if fit[0] != "full:sequential"]
    assert isolated == []
    assert {event["cached"] for event in events_of(tmp_path / "other", "fit")} >= {True}


class Killer:
    """Kills the worker that is given a job, the first `times` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, job: tuple[str, str, int], times: int) -> None:
        from stream.execution.workers import Worker

        self.job, self.left, self.killed = job, times, 0
        honest = Worker.send

        def send(worker: Worker, order: Any) -> None:
            given = order.get("job")
            if given and (given["kind"], given["learner"], given["arrival"]) == self.job and self.left:
                self.left, self.killed = self.left - 1, self.killed + 1
                os.kill(worker.process.pid, signal.SIGKILL)
            honest(worker, order)

        monkeypatch.setattr(Worker, "send", send)


def test_a_killed_worker_is_replaced(base: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does when memory runs out."""
    killer, notices = Killer(monkeypatch, ("fit", "full:sequential", 2), 2), list[str]()
    settings = {**base, "out": str(tmp_path / "run"), "workers": 2}
    results = run(**settings, handle=lambda event: notices.append(str(event.get("message"))))
    assert killer.killed == 2
    assert sum("the worker of fit/full:sequential/2 ended" in text for text in notices) == 2
    assert deltas_of(tmp_path / "run") == deltas_of(Path(base["out"]))
    assert matrices_of(results.as_dict()) == matrices_of(read_results(Path(base["out"])))
    assert verify(tmp_path / "run").passed


@pytest.mark.parametrize("kind", ["fit", "evaluate"])
def test_a_job_that_always_kills_its_worker(
    base: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It fails after three workers, all other jobs are done, and the next call does what is missing."""
    out, settings = tmp_path / "run", {**base, "out": str(tmp_path / "run"), "workers": 2}
    with monkeypatch.context() as patch:
        killer = Killer(patch, (kind, "adapter:4", 2), 99)
        answer = command(settings)
    assert (answer.code, killer.killed) == (1, 3)
    assert "its worker ended 3 times (out of memory?)" in answer.err
    assert "Traceback" not in answer.err
    expected, found = read_results(Path(base["out"])), read_results(out)
    for name in ("full:sequential", "head"):
        assert matrices_of(found)[name] == matrices_of(expected)[name]
    done = {(event["learner"], event["task"]) for event in events_of(out, "fit") if "delta" in event}
    assert {(name, task) for name in LEARNERS for task in TASKS} - done == (
        {("adapter:4", TASKS[1])} if kind == "fit" else set()
    )
    if kind == "fit":
        (failure,) = found["learners"]["adapter:4"]["failures"]
        assert (failure["type"], failure["task"], failure["arrival"]) == ("WorkerDied", TASKS[1], 2)
        assert "fewer --workers" in answer.err
        assert [row[1] for row in matrices_of(found)["adapter:4"][1:]] == [None] * len(TASKS)
    assert verify(out).passed
    assert command(settings).code == 0
    assert matrices_of(read_results(out)) == matrices_of(expected)
    assert len(fitted(out)) == len(LEARNERS) * len(TASKS) + (kind == "fit")  # only the failed fit is done again
    assert verify(out).passed
