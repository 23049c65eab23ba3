"""Commands that do not train, evaluate or tokenise load no heavy library; those that do load PyTorch and tokenizers.

Importing another one takes seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stream.engine.known
from stream import plan, run
from tests.runs import as_arguments, call, tiny_settings
from tests.worlds import ARCHITECTURES, NEW_ARCHITECTURES, save_backbone

HEAVY = ("torch", "transformers", "tokenizers", "huggingface_hub", "datasets", "pandas", "pyarrow", "sklearn", "scipy",
         "matplotlib", "avalanche", "peft")  # fmt: skip
# Calls the command with each list of arguments in turn. Prints the exit codes, and what each has loaded.
PROGRAM = """
import contextlib, io, json, sys
from stream.cli.main import main
calls, heavy = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
answers = []
for arguments in calls:
    sys.argv = ["taskstream", *arguments]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = main() or 0
        except SystemExit as end:
            code = end.code or 0
    answers.append([code, sorted(heavy & sys.modules.keys())])
print(json.dumps(answers))
"""


def test_no_command_loads_what_it_does_not_need(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = "full:isolated,prefix:2+parallel:4,head"
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners=learners, test_examples=10)
    other = settings | {"out": tmp_path / "other", "seed": 1}
    # As in a process of the command, which asks for the numerics before it loads PyTorch.
    monkeypatch.setattr(stream.engine.known, "sys", SimpleNamespace(modules={}))
    run(**settings)
    run(**other)
    plan(**settings | {"out": tmp_path / "none"})
    first, second, none = (str(tmp_path / name) for name in ("run", "other", "none"))
    again, planned = as_arguments(settings), as_arguments(settings | {"out": none})
    calls = {
        0: [
            *(["list", what] for what in ("learners", "tasks", "metrics", "backbones")),
            ["list", "runs", str(tmp_path)],
            ["show", "learner", "adapterbias:share=alpha:l0"],
            ["show", "task", "cola"],
            ["show", "metric", "bwt_gem"],
            ["cost", "--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "head,adapter:64"],
            ["config", first],
            ["report", first],
            ["report", first, "--html", str(tmp_path / "report.html")],
            ["compare", first, second],
            ["verify", first],
            ["replay", first, "--display", "plain"],
            ["gc", first],
            ["plan", *again],
            ["plan", *planned],
            ["plan", *planned, "--learners", "mam:prefix=4:parallel=4:mlp=0,topk:1"],  # which no process has counted
            ["run", *again],
            ["run", *again, "--workers", "2"],
        ],
        2: [
            ["run", *planned, "--suite", "colourz"],
            ["run", *planned, "--learners", "hed"],
            ["run", *planned, "--max-length", "100000"],
            ["plan", *planned, "--backbone", str(tmp_path)],
            ["show", "learner", "adaptor"],
            ["verify", none],
        ],
    }  # fmt: skip
    asked = [(code, arguments) for code, group in calls.items() for arguments in group]
    program = [sys.executable, "-c", PROGRAM, json.dumps([arguments for _, arguments in asked]), json.dumps(HEAVY)]
    found = subprocess.run(program, capture_output=True, text=True, check=True)
    for (code, arguments), answer in zip(asked, json.loads(found.stdout.splitlines()[-1]), strict=True):
        assert answer == [code, []], arguments


# Notes in a file which of some modules a process has imported, after each import, because a run kills its workers.
WATCH = """
import builtins, json, os, sys
names, found = set(json.loads(os.environ["WATCHED_NAMES"])), set()
file, real = os.path.join(os.environ["WATCHED_FOLDER"], f"{os.getpid()}.json"), builtins.__import__
def note():
    with open(file, "w") as out:
        out.write(json.dumps([sys.orig_argv, sorted(found)]))
def watching(*arguments, **named):
    module = real(*arguments, **named)
    if not names & sys.modules.keys() <= found:
        found.update(names & sys.modules.keys())
        note()
    return module
note()
builtins.__import__ = watching
"""
ANSWER = """
import sys
from stream.hub import load_model
model = load_model(sys.argv[1], backbone=sys.argv[2])
assert len(model.answers(["red oak", "a blue elm"], ["pine", "fir"])) == 2
"""
# PyTorch's compiler takes as long to import as PyTorch itself.
WATCHED = (*HEAVY, "torch._dynamo", "torch._inductor", "sympy")
USED = {"torch", "tokenizers"}
COMMAND = ("-c", "from stream.cli.main import main; main()")


def watched(folder: Path, *arguments: str) -> list[tuple[str, set[str]]]:
    """Runs a Python program. Returns the command line of each of its processes, and what it imported of `WATCHED`."""
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    (folder / "seen").mkdir()
    paths = os.pathsep.join([str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    named = {"PYTHONPATH": paths, "WATCHED_FOLDER": str(folder / "seen"), "WATCHED_NAMES": json.dumps(WATCHED)}
    command, environment = [sys.executable, *arguments], {**os.environ, **named}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(file.read_text(encoding="utf-8")) for file in (folder / "seen").iterdir()]
    return [(" ".join(command), set(modules)) for command, modules in found]


def run_watched(folder: Path, settings: dict[str, Any]) -> list[tuple[str, set[str]]]:
    return watched(folder, *COMMAND, "run", *as_arguments(settings), "--display", "none")


def test_what_trains_and_evaluates_loads_pytorch_alone(tiny_tasks: Path, tmp_path: Path) -> None:
    """A run in one process and with workers, `verify --rerun`, and a model that is loaded and answers: none of these
    loads transformers, nor a library that only reports, other learners or other metrics need."""
    backbone, out = save_backbone(tmp_path / "bert"), tmp_path / "run"
    learners, suite = "adapter:4,prefix:2+parallel:4,full:isolated", "sms_spam,rte,colours"
    settings = tiny_settings(tiny_tasks, backbone, out, learners=learners, suite=suite)
    alone = run_watched(tmp_path / "alone", settings)
    shared = run_watched(tmp_path / "with workers", settings | {"out": tmp_path / "many", "workers": 2, "seed": 1})
    rerun = watched(tmp_path / "rerun", *COMMAND, "verify", str(out), "--rerun", "2", "--display", "none")
    answer = call("export", str(out), "--to-dir", str(tmp_path / "shared"), "--display", "none")
    assert answer.code == 0, answer.err
    model = tmp_path / "shared" / "models" / "adapter-4" / "rte"
    loaded = watched(tmp_path / "loaded", "-c", ANSWER, str(model), str(backbone))
    assert [modules for _, modules in (*alone, *rerun, *loaded)] == [USED, USED, USED]
    workers = [modules for command, modules in shared if "stream.execution.worker" in command]
    assert workers == [USED, USED]  # a worker loads the backbone, and its tokenizer with it
    assert all(modules <= USED for _, modules in shared)


@pytest.mark.parametrize("model_type", [*ARCHITECTURES[1:], *NEW_ARCHITECTURES])
def test_no_architecture_needs_more(tiny_tasks: Path, tmp_path: Path, model_type: str) -> None:
    backbone = save_backbone(tmp_path / model_type, model_type)
    settings = tiny_settings(tiny_tasks, backbone, tmp_path / "run", learners="adapter:4,lora:2", suite="rte,colours")
    assert [modules for _, modules in run_watched(tmp_path / "alone", settings)] == [USED]


def test_a_correlation_loads_scipy_alone(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """Accuracy needs no library."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners="head", suite="stsb")
    assert [modules for _, modules in run_watched(tmp_path / "alone", settings)] == [USED | {"scipy"}]
