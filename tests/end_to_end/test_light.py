"""No command loads a heavy library unless it trains, evaluates or tokenises: each of them takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import stream.engine.known
from stream import plan, run
from tests.runs import as_arguments, tiny_settings

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
