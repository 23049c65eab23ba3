"""Tiny runs for tests: settings of a short run, calls of the command in this or in a new process, and ledgers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple
from unittest.mock import patch

import typer

from tests.warm import Forked

COMMAND = Path(sys.executable).with_name("taskstream")  # installed beside this interpreter
TASKS = ("sms_spam", "colours", "rte")


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines of standard error."""
        return self.err.splitlines()


def tiny_settings(tasks: Path, backbone: Path, out: Path, /, **more: Any) -> dict[str, Any]:
    """Settings of a run of about a second, by name. It runs in this process unless `more` has `workers`."""
    defaults = {
        "suite": ",".join(TASKS),
        "source": f"folder:{tasks}",
        "backbone": str(backbone),
        "learners": "head",
        "epochs": 1,
        "batch_size": 16,
        "learning_rate": 1e-2,
        "max_length": 24,
        "workers": 1,
        "out": str(out),
    }
    return defaults | more


def as_arguments(settings: dict[str, Any]) -> list[str]:
    """Settings as options of `taskstream run`."""
    return [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def call(*arguments: str, output: IO[str] | None = None) -> Answer:
    """Run `taskstream ARGUMENTS` in this process, through its entry point. `output` replaces its standard output."""
    from stream.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["taskstream", *arguments]),
        patch("typer.main.get_command", _parser_of),
        contextlib.redirect_stdout(out if output is None else output),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Answer(code, out.getvalue(), err.getvalue())


@cache
def _parser_of(app: typer.Typer, make: Callable[[typer.Typer], Any] = typer.main.get_command) -> Any:
    """Parser of the command line, made once: reading the signatures of all commands takes longer than most tests."""
    return make(app)


def start(*arguments: str) -> Forked:
    """Start `taskstream ARGUMENTS` in a new process that has loaded the libraries already, with its output in pipes."""
    return Forked("stream.cli.main", arguments, None, COLUMNS="120")


def start_anew(*arguments: str) -> subprocess.Popen[str]:
    """Start `taskstream ARGUMENTS` in a new process, as a user does, with its output in pipes."""
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def wait(process: Forked | subprocess.Popen[str]) -> Answer:
    """Wait for a process of `start` or `start_anew` to end, at most 300 s."""
    out, err = process.communicate(timeout=300)
    return Answer(process.returncode, out, err)


def ledger_of(out: Path) -> list[dict[str, Any]]:
    """Events of a run's ledger, without an incomplete last line."""
    lines = (out / "ledger.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def events_of(out: Path, kind: str) -> list[dict[str, Any]]:
    """Events of one kind, such as `fit`, of a run's ledger."""
    return [event for event in ledger_of(out) if event["event"] == kind]


def deltas_of(out: Path) -> dict[tuple[str, str], str]:
    """Content id of each Delta, by (learner, task)."""
    return {(event["learner"], event["task"]): event["delta"] for event in events_of(out, "fit")}


def fitted(out: Path) -> list[tuple[str, str]]:
    """(learner, task) of every fit that was computed, not read from the store."""
    return [(event["learner"], event["task"]) for event in events_of(out, "fit") if not event["cached"]]


def matrices_of(results: dict[str, Any]) -> dict[str, list[list[float | None]]]:
    """R of each learner of a results.json document."""
    return {name: learner["R"] for name, learner in results["learners"].items()}


def read_results(out: Path) -> dict[str, Any]:
    """Read results.json as strict JSON: NaN and Infinity fail."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in results.json")

    document: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
    return document


class Finished(NamedTuple):
    """A run made by the command: its folder, its settings, and the command's answer."""

    out: Path
    settings: dict[str, Any]
    answer: Answer

    @property
    def results(self) -> dict[str, Any]:
        return read_results(self.out)
