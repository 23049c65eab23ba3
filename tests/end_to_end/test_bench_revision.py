"""scripts/bench_revision.py at a tiny size: HEAD is checked out and compared, and figures follow from the times."""

from __future__ import annotations

import importlib
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark.clock import Spent
from benchmark.process import ROOT, ContenderFailed
from benchmark.revisions import calls, commands, parts
from benchmark.revisions.checkout import checkout, commit_of
from benchmark.revisions.pairs import Pair, as_rows, of_rates, of_seconds
from benchmark.revisions.sizes import DEMO_SIZES, DEMOS, Sizes
from rich.console import Console

from learners.training.trainer import FitRequest
from tasks.errors import InputError
from tests.end_to_end.test_bench import OneProcess
from tests.runs import call

TINY = {"suite": "sst2", "learners": "head", "train_examples": 4, "test_examples": 4, "epochs": 1, "max_length": 24}
SIZES = replace(
    Sizes(), batch_size=4, max_length=24, steps=2, epochs=2, rows=6, passes=1, repetitions=2, starts=1, demos=1,
    demo={**TINY, "workers": 1}, finished={**TINY, "workers": 1},
)  # fmt: skip
HELP = ["--help"]


def history() -> str:
    """Why HEAD cannot be checked out; "" if it can be."""
    if shutil.which("git") is None:
        return "git is not installed"
    found = subprocess.run(["git", "-C", ROOT, "rev-parse", "--show-toplevel", "HEAD"], capture_output=True, text=True)
    inside = found.returncode == 0 and Path(found.stdout.split("\n")[0]).resolve() == ROOT.resolve()
    return "" if inside else "these files are not a git repository with a commit"


needs_history = pytest.mark.skipif(bool(history()), reason=history() or "there is a history")


def worktrees() -> str:
    listed = subprocess.run(["git", "-C", ROOT, "worktree", "list"], capture_output=True, text=True, check=True)
    return listed.stdout


@needs_history
def test_head_against_the_working_tree(
    tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Every part. Help runs in real processes of both trees; what needs PyTorch runs in this process, and no run of a
    side twice."""
    script, table = importlib.import_module("bench_revision"), io.StringIO()
    real: list[Path] = []
    runs: list[tuple[Path, Path]] = []
    setups: list[Mapping[str, Any]] = []

    def timed(arguments: list[str], tree: Path, cache: Path, log: Path) -> Spent:
        if arguments == HELP:
            real.append(tree)
            return commands.timed(arguments, tree, cache, log)
        runs.append((tree, cache))
        if (tree, cache) in runs[:-1]:
            return Spent(2.0, 1.0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TASKSTREAM_CACHE", str(cache))
            answer = call(*arguments)
        assert (answer.code, answer.err) == (0, "")
        return Spent(2.0, 1.0)

    def ready(setup: Mapping[str, Any], tree: Path, cache: Path, log: Path) -> Spent:
        setups.append(json.loads(json.dumps(setup)))
        return Spent(3.0, 1.0)

    monkeypatch.setattr(script, "Processes", OneProcess)
    monkeypatch.setattr(parts, "timed", timed)
    monkeypatch.setattr(parts, "worker_ready", ready)
    found = script.bench(
        "HEAD", only="", sizes=SIZES, backbone=str(tiny_backbone), source="simulated", dtype="float32",
        learners="head,adapter:4", out=tmp_path, console=Console(file=table, width=140),
    )  # fmt: skip
    written = json.loads((tmp_path / "bench_revision.json").read_text(encoding="utf-8"))
    assert written["measurements"] == json.loads(json.dumps(found["measurements"]))
    assert [(each["part"], each["case"]) for each in found["measurements"]] == [
        *((part, learner) for part in ("step", "peak memory", "evaluation") for learner in ("head", "adapter:4")),
        ("demo", "sst2"),
        *(("start", case) for case in ("--help", "first fit, cold", "worker until ready")),
        ("again", "a finished run"),
    ]
    values = [value for each in found["measurements"] for side in ("old", "new") for value in each[side]]
    assert all(value > 0 and math.isfinite(value) for value in values)
    assert "adapter:4" in table.getvalue()
    old, new = real[:2]
    assert (old.name, new) == (commit_of("HEAD")[:12], ROOT)
    assert real == [old, new] * 2  # one call of each does not count
    assert not old.exists()
    assert str(old) not in worktrees()
    assert {tree for tree, _ in runs} == {old, new}
    colds = {cache for _, cache in runs if "cold" in cache.parts}
    assert colds == {tmp_path / side / "cold" / "cache" for side in ("old", "new")}
    assert not any(cache.exists() for cache in colds)  # each cold start had an empty cache
    assert [setup["backbone"] for setup in setups] == [str(tiny_backbone)] * 4


@needs_history
@pytest.mark.parametrize("end", [lambda: 1 / 0, lambda: os.kill(os.getpid(), signal.SIGTERM)], ids=["error", "SIGTERM"])
def test_the_checkout_is_removed_after(end: Callable[[], object]) -> None:
    trees: list[Path] = []

    def use() -> None:
        with checkout("HEAD") as tree:
            trees.append(tree)
            assert (tree / "scripts" / "bench.py").is_file()
            assert str(tree) in worktrees()
            end()
            time.sleep(10)  # a signal arrives at the latest now

    with pytest.raises((ZeroDivisionError, SystemExit)):
        use()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert not trees[0].parent.exists()
    assert str(trees[0]) not in worktrees()


@needs_history
def test_no_such_revision() -> None:
    with pytest.raises(InputError, match="no-such-revision"):
        commit_of("no-such-revision")


def test_a_learner_of_another_trainer(tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its trainer gets the rows, and calls the score of the task after each epoch."""

    class Trainer:
        def fit(self, request: FitRequest, state: object) -> None:
            assert request.load("sst2") is request.data
            assert len(request.data.train) == 2 * 4
            for _ in range(request.learner.training.epochs):
                request.score_of(request.data.task)(np.zeros(1), np.zeros(1))

    monkeypatch.setattr(calls, "trainer_named", {"avalanche": Trainer()}.__getitem__)
    settings = {"source": "simulated", "task": "sst2", "steps": 2, "batch_size": 4, "max_length": 24, "test": 4}
    found = calls.step(str(tiny_backbone), "float32", learner="avalanche:naive", epochs=3, **settings)
    assert 0 < found["seconds"] < 1


def test_packages_of_another_tree_are_an_error(tmp_path: Path) -> None:
    commands.check_tree(ROOT)
    for package in ("tasks", "learners"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    with pytest.raises(ContenderFailed, match=r"imports .*stream.__init__.py"):
        commands.check_tree(tmp_path)


def test_a_command_that_fails(tmp_path: Path) -> None:
    with pytest.raises(ContenderFailed, match=r"no-such-verb .*exit code 2; see .*log"):
        commands.timed(["no-such-verb"], ROOT, tmp_path, tmp_path / "log")
    assert "no-such-verb" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answer", "error"),
    [("{'kind': 'ready'}", ""), ("{'kind': 'failed', 'message': order['setup']['a']}", "why"), ("None", "it ended")],
)
def test_a_worker(answer: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the setup, and its CPU time counts until it is ready."""
    code = f"""
import json, time
order, end = json.loads(input()), time.process_time() + 0.1
while time.process_time() < end: pass
if {answer}: print(json.dumps({answer}), flush=True); time.sleep(60)
"""
    monkeypatch.setattr(commands, "WORKER", (sys.executable, "-c", code))
    given = ({"a": "why"}, ROOT, tmp_path, tmp_path / "log")
    if error:
        with pytest.raises(ContenderFailed, match=error):
            commands.worker_ready(*given)
        return
    spent = commands.worker_ready(*given)
    assert 0.1 <= spent.cpu < 5 < 60
    assert 0.1 <= spent.seconds < 60


def test_pairs() -> None:
    """The middle of the paired ratios, not the ratio of the middles; for a rate, more is better."""
    old, new = [Spent(2.0, 1.0), Spent(4.0, 1.0), Spent(9.0, 3.0)], [Spent(1.0, 1.0), Spent(4.0, 0.5), Spent(3.0, 1.0)]
    seconds, rates = of_seconds("start", "x", old, new), of_rates("evaluation", "y", old, new, 12)
    assert seconds.ratios == rates.ratios == [2.0, 1.0, 3.0]
    assert rates.old == (6.0, 3.0, 12 / 9)
    memory = Pair("peak memory", "z" * 30, "MB", (200.0,), (100.0,))
    assert as_rows([seconds, of_seconds("start", "x", old, new, "ms"), rates, memory]) == [
        ["start", "x", "s", "4", "3", "2.00x", "1.00x to 3.00x", "1", "1", "2.00x"],
        ["", "x", "ms", "4,000", "3,000", "2.00x", "1.00x to 3.00x", "1,000", "1,000", "2.00x"],
        ["evaluation", "y", "rows/s", "3", "4", "2.00x", "1.00x to 3.00x", "12", "12", "2.00x"],
        ["peak memory", "z" * 23 + "…", "MB", "200", "100", "2.00x", "2.00x to 2.00x", "", "", ""],
    ]


def test_the_demo_is_that_of_scripts_demo() -> None:
    text = (ROOT / "scripts" / "demo").read_text(encoding="utf-8")
    for name, suite, learners in zip(
        ("full", "quick"), re.findall(r"suite=(\S+)", text), re.findall(r"learners=(\S+)", text), strict=True
    ):
        assert (DEMOS[name]["suite"], DEMOS[name]["learners"]) == (suite, learners)
    sizes = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in DEMO_SIZES.items())
    assert f"{sizes} --dtype auto" in text


def test_bad_input(tmp_path: Path) -> None:
    from tests.end_to_end.test_experiments import call

    for given, error in (
        (("HEAD", "--only", "step,z"), "--only: unknown part 'z'"),
        (("HEAD", "--learners", "addapter"), "unknown learner 'addapter'"),
    ):
        answer = call("bench_revision", *given, "--out", str(tmp_path / "out"), scripts=ROOT / "scripts")
        assert answer.code == 2
        assert error in answer.err
    shown = call("bench_revision", "--help", scripts=ROOT / "scripts")
    assert (shown.code, shown.err) == (0, "")
    assert "python scripts/bench_revision.py" in shown.out
    assert not (tmp_path / "out").exists()
