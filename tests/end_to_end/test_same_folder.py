"""The same folder for another call: results do not vanish in silence, and of two racing runs one gets the folder."""

from __future__ import annotations

import re
import shlex
import shutil
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import stream.engine.engine
from stream import InputError, run, verify
from stream.storage.files import sole_writer
from tests.runs import (
    TASKS,
    Answer,
    as_arguments,
    call,
    fitted,
    ledger_of,
    matrices_of,
    read_results,
    start,
    tiny_settings,
    wait,
)

LEARNERS = ["majority", "head"]


@pytest.fixture(scope="module")
def finished(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("finished") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=",".join(LEARNERS))
    run(**settings)
    return settings


@pytest.fixture
def copy(finished: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    shutil.copytree(finished["out"], tmp_path / "run")
    return {**finished, "out": str(tmp_path / "run")}


def command(settings: dict[str, Any]) -> Answer:
    return call("run", *as_arguments(settings), "--display", "none")


def files_of(out: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learners": "layernorm"}, "leaves out learners of the run that this folder holds: majority, head"),
        ({"learners": "head"}, "leaves out learners of the run that this folder holds: majority"),
        ({"order": ",".join(reversed(TASKS))}, "has another order of tasks"),
        ({"suite": f"stsb,{','.join(TASKS)}"}, "has another order of tasks"),
        ({"suite": ",".join(TASKS[:2])}, f"leaves out tasks of the run that this folder holds: {TASKS[2]}"),
        ({"suite": f"stsb,{TASKS[0]}", "order": f"{TASKS[0]},stsb"}, "leaves out tasks"),
    ],
)
def test_what_would_vanish_is_refused(copy: dict[str, Any], change: dict[str, str], words: str) -> None:
    out, before = Path(copy["out"]), files_of(Path(copy["out"]))
    answer = command(copy | change)
    assert answer.code == 2
    (line,) = answer.errors
    assert words in line
    assert files_of(out) == before
    assert call("plan", *as_arguments(copy | change)).errors == [line]
    # The first way out keeps everything.
    way = re.search(r"; give (--.*), or give another --out, with (--store \S+)", line)
    assert way is not None
    given = shlex.split(way[1])
    assert command(copy | change | {given[i][2:]: given[i + 1] for i in range(0, len(given), 2)}).code == 0
    old, new = matrices_of(read_results(Path(copy["out"]))), read_results(out)
    assert old.items() <= matrices_of(new).items()
    assert new["order"][: len(TASKS)] == list(TASKS)
    assert verify(out).passed
    # The second repeats no fit.
    other = copy | change | {"out": str(out.with_name("other")), "store": shlex.split(way[2])[1]}
    assert command(other).code == 0
    assert {task for _, task in fitted(Path(other["out"]))} <= {"stsb"} or "layernorm" in change.values()


def test_a_learner_written_in_another_way_is_not_left_out(copy: dict[str, Any]) -> None:
    out, before = Path(copy["out"]), files_of(Path(copy["out"]))
    answer = command(copy | {"learners": "layernorm,head:epochs=1,majority"})
    assert answer.code == 2
    (line,) = answer.errors
    assert "writes a learner of the run that this folder holds in another way" in line
    assert line.endswith("expected head; found head:epochs=1; write it as 'head'")
    both = command(copy | {"learners": "head:epochs=1,layernorm"}).err
    assert "leaves out learners of the run that this folder holds: majority" in both
    assert "give --learners 'majority,head,layernorm'" in both
    assert files_of(out) == before
    assert command(copy | {"learners": "layernorm,head,majority"}).code == 0
    assert {learner for learner, _ in fitted(out)} == {"majority", "head", "layernorm"}
    assert verify(out).passed


def test_a_learner_that_is_known_no_more_cannot_be_given(copy: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\nfrom learners.methods.head import FAMILY as head\n"
        "FAMILY = replace(head, name='mine', aliases=(), examples=('mine',), build=lambda values, training:"
        " replace(head.build(values, training), family='mine'))\n"
    )
    mine = copy | {"learners": "majority,head,mine"}
    answer = call("run", *as_arguments(mine), "--plugin", str(tmp_path / "mine.py"), "--display", "none")
    assert (answer.code, answer.err) == (0, "")
    (line,) = command(copy).errors
    assert "leaves out learners of the run that this folder holds: mine" in line
    assert "--learners" not in line


def test_nothing_done_yet_is_nothing_to_lose(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run")

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "start":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(**settings, handle=stop)
    order = tuple(reversed(TASKS))
    assert run(**{**settings, "learners": "majority", "order": ",".join(order)}).order == order
    assert verify(tmp_path / "run").passed


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("seed = 0", "seed = 1"),
        lambda text: text.replace("seed = 0", "seed = "),
        lambda text: text.replace("the comment says", "The comment says"),
        lambda text: text[:40],
        None,
    ],
)
def test_a_damaged_config_is_named_and_costs_nothing(
    copy: dict[str, Any], damage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.config.resolve.dtype_of", lambda device: "float32")  # also where bfloat16 is fast
    out, path = Path(copy["out"]), Path(copy["out"]) / "config.toml"
    done = fitted(out)
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage(path.read_text()))
        (*_, finding) = verify(out).findings
        assert finding.file == str(path)
    answer = command(copy | {"seed": 7})
    assert answer.code == 2
    assert "seed differs from the run that this folder holds" in answer.err
    notices: list[str] = []
    run(**copy | {"dtype": "auto"}, handle=lambda event: notices.append(str(event.get("message"))))
    assert sum("config.toml is missing or is not the file that the run wrote" in text for text in notices) == 1
    assert b"seed = 0" in path.read_bytes()
    assert verify(out).passed
    assert fitted(out) == done


def test_a_run_that_began_meanwhile_keeps_its_settings(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a call's first look at the folder and its lock, another run may begin there and end."""
    settings, honest = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run"), stream.engine.engine.prepare

    def prepare(config: Any, *given: Any) -> Any:
        if config.seed == 1:
            run(**settings)
        return honest(config, *given)

    monkeypatch.setattr(stream.engine.engine, "prepare", prepare)
    with pytest.raises(InputError, match="seed differs"):
        run(**settings, seed=1)
    assert read_results(tmp_path / "run")["seed"] == 0
    assert verify(tmp_path / "run").passed


def test_of_two_processes_one_gets_the_folder(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run")
    racing = [start("run", *as_arguments(settings | {"seed": seed}), "--display", "none") for seed in range(3)]
    answers = [wait(process) for process in racing]
    assert sorted(answer.code for answer in answers) == [0, 2, 2]
    for answer in answers:
        assert (answer.code == 0) != ("another process is running" in answer.err or "seed differs" in answer.err)
    (winner,) = [seed for seed, answer in enumerate(answers) if answer.code == 0]
    headers = [event for event in ledger_of(tmp_path / "run") if event["event"] == "run"]
    assert [header["facts"]["seed"] for header in headers] == [winner]
    assert f"seed = {winner} " in (tmp_path / "run" / "config.toml").read_text()
    assert verify(tmp_path / "run").passed


def test_tables_are_not_written_beside_a_running_run(tiny_backbone: Path, tmp_path: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sole_writer(tmp_path / "ledger.jsonl"):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(60)
    try:
        with pytest.raises(InputError, match="another process is running"):
            run(tasks={"mine": pd.DataFrame({"text": ["a", "b"] * 9, "label": ["x", "y"] * 9})}, out=str(tmp_path))
        assert not [*tmp_path.rglob("*.parquet")]
    finally:
        done.set()
        thread.join()
