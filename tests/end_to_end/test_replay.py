"""`taskstream replay`: the events of a run, made anew from its ledger, at their own or at another pace."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from stream import run
from stream.report.playback import Moment, play, wall_clock
from stream.storage.events import End, FitEvent
from tests.report.terminal import Terminal
from tests.runs import TASKS, call, tiny_settings
from tests.typed_events import fit, header

LEARNERS = ("adapter:4", "full:sequential")
TOLD = ("run", "before", "fit", "row", "arrival")  # what a replay tells just as the run did; times apart


@pytest.fixture(scope="module")
def ran(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """Folder of a finished run, and what its views were told."""
    out = tmp_path_factory.mktemp("ran") / "run"
    events: list[dict[str, Any]] = []
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=",".join(LEARNERS), epochs=2)
    run(**settings, handle=events.append)
    return out, events


def replayed(folder: Path) -> dict[str, Any]:
    answer = call("replay", str(folder), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document: dict[str, Any] = json.loads(answer.out)
    return document


def test_it_tells_what_the_run_told(ran: tuple[Path, list[Any]]) -> None:
    folder, events = ran

    def told(event: dict[str, Any]) -> dict[str, Any]:
        left_out = {"at", "seconds"} if event["event"] == "arrival" else {"at"}
        return {key: value for key, value in event.items() if key not in left_out}

    document = replayed(folder)
    again = [told(event) for event in document["events"] if event["event"] in TOLD]
    assert again == json.loads(json.dumps([told(event) for event in events if event["event"] in TOLD]))
    (end,) = [event for event in events if event["event"] == "end"]
    assert document["events"][-1] == {"at": end["seconds"], **end}
    assert document["seconds"] == end["seconds"]


def test_every_job_begins_before_it_ends_and_after_what_it_needs(ran: tuple[Path, list[Any]]) -> None:
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}
    times = []
    for event in replayed(ran[0])["events"]:
        times.append(event["at"])
        if event["event"] == "start":
            begun[event["job"]] = event["at"]
        elif event["event"] == "progress":
            assert event["job"] in begun.keys() - ended.keys()
            assert 0 < event["step"] <= event["steps"]
        elif event["event"] in ("before", "fit", "row"):
            ended[event["job"]] = event["at"]
    assert times == sorted(times)
    assert begun.keys() == ended.keys()
    assert len(begun) == len(LEARNERS) * (1 + 2 * len(TASKS))
    for learner in LEARNERS:
        for arrival in range(1, len(TASKS) + 1):
            assert begun[f"evaluate/{learner}/{arrival}"] >= ended[f"fit/{learner}/{arrival}"]
    assert begun["fit/full:sequential/2"] >= ended["fit/full:sequential/1"]


def test_the_lines_of_the_run_come_at_once_and_nothing_is_written(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run")
    arguments = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    first = call("run", *arguments, "--display", "plain")
    assert first.code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answer = call("replay", str(tmp_path / "run"), "--display", "plain", "--speed", "0.001")
    assert (answer.code, answer.err) == (0, "")

    def arrivals(text: str) -> list[list[str]]:
        return [line.split()[:-1] for line in text.splitlines() if line.split()[:1] in ([f"{n}/3"] for n in (1, 2, 3))]

    assert arrivals(answer.out) == arrivals(first.out)
    assert [line[:2] for line in arrivals(answer.out)] == [[f"{n}/3", task] for n, task in enumerate(TASKS, start=1)]
    assert "done in" in answer.out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("verb", ["replay", "run"])
@pytest.mark.parametrize("height", [3, 40])
def test_on_a_terminal_all_lines_stay_and_nothing_else(
    verb: str, height: int, ran: tuple[Path, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay, and a finished run that is called again: what scrolls up is what `--display plain` prints."""
    for name, value in (("COLUMNS", "100"), ("LINES", str(height)), ("TERM", "xterm"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CI", raising=False)
    folder = str(ran[0])
    asked = ["replay", folder] if verb == "replay" else ["run", "--config", f"{folder}/config.toml"]
    plain = [line.rstrip() for line in call(*asked, "--display", "plain").out.splitlines()]
    terminal = Terminal(100, height)
    faster = ["--speed", "20"] if verb == "replay" else []
    assert call(*asked, *faster, output=terminal).code == 0
    shown = terminal.lines()
    took = re.compile(r"\bdone in .*?s;| +\d+\.\ds$")  # differs from call to call
    known = len(plain) if verb == "replay" else [line.startswith("done in ") for line in plain].index(True) + 1
    assert [took.sub("", line) for line in shown[:known]] == [took.sub("", line) for line in plain[:known]]
    assert [line for line in shown if " jobs " in line and "  to " not in line] == []


def test_an_unfinished_run_is_shown_as_far_as_it_came(ran: tuple[Path, list[Any]], tmp_path: Path) -> None:
    shutil.copy(ran[0] / "config.toml", tmp_path)
    lines = (ran[0] / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines[:6]) + b'{"torn')  # ledger, run, two of each kind
    document = replayed(tmp_path)
    kinds = [event["event"] for event in document["events"]]
    assert (kinds.count("before"), kinds.count("fit"), kinds.count("end")) == (2, 2, 0)
    assert document["events"][-1]["message"] == "the run is not finished: 4 of 14 jobs are done"
    assert document["seconds"] > 0


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
def test_a_speed_that_is_none(ran: tuple[Path, list[Any]], speed: str) -> None:
    answer = call("replay", str(ran[0]), "--speed", speed)
    assert answer.code == 2
    assert "bad value of --speed" in answer.err


def test_no_run_and_a_damaged_one(ran: tuple[Path, list[Any]], tmp_path: Path) -> None:
    assert call("replay", str(tmp_path)).code == 2
    text = (ran[0] / "ledger.jsonl").read_text().replace('"cached": false', '"cached": true ')
    (tmp_path / "ledger.jsonl").write_text(text)
    answer = call("replay", str(tmp_path))
    assert answer.code == 2
    assert "altered" in answer.err


def test_play_waits_for_each_moment() -> None:
    now, heard = 100.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds > 0
        now += seconds

    def handle(event: dict[str, Any]) -> None:
        nonlocal now
        heard.append((event["n"], now - 100))
        now += 0.5  # it takes time to show an event; the next is not late for that

    moments = [Moment(at, {"n": n}) for n, at in enumerate((0.0, 10.0, 10.0, 30.0))]
    play(moments, handle, 10, lambda: now, sleep)
    assert heard == [(0, 0.0), (1, 1.0), (2, 1.5), (3, 3.0)]
    heard.clear()
    play(moments, handle, math.inf, lambda: now, sleep)
    assert [n for n, _ in heard] == [0, 1, 2, 3]


def test_the_wall_clock_of_several_calls() -> None:
    def job(seconds: float, cached: bool = False) -> FitEvent:
        return fit("x", 1, "cola", seconds=seconds, cached=cached)

    run_ = header()
    two_workers = [run_, job(4.0), job(4.0), job(9.0, cached=True), End(seconds=5.0)]
    assert wall_clock(two_workers) == 5.0
    assert wall_clock([run_, job(4.0), job(2.0), *two_workers]) == 11.0, "the first call was killed"
    assert wall_clock([run_, job(4.0), job(2.0), End(seconds=0.01)]) == 6.0, "ended by a later call"
    assert wall_clock([run_, job(4.0), job(2.0)]) == 6.0
