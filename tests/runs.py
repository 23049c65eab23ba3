"""Tiny runs for tests: settings of a run of seconds, the command called in this process or as a process, ledgers."""

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
from typing import Any, NamedTuple
from unittest.mock import patch

import typer

from tests.warm import Forked

COMMAND = Path(sys.executable).with_name("taskstream")  # as installed beside this interpreter
TASKS = ("sms_spam", "colours", "rte")


@dataclass(frozen=True)
class Answer:
    """What a command did: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


def tiny_settings(tasks: Path, backbone: Path, out: Path, /, **more: Any) -> dict[str, Any]:
    """Settings of a run of about a second, in this process unless `workers` says otherwise."""
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
    """The same settings as options of `taskstream run`."""
    return [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def call(*arguments: str) -> Answer:
    """`taskstream ARGUMENTS` in this process, through its entry point."""
    from stream.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["taskstream", *arguments]),
        patch("typer.main.get_command", _parser_of),
        contextlib.redirect_stdout(out),
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
    """Reading the signatures of all commands takes longer than most commands here: it is done once."""
    return make(app)


def start(*arguments: str) -> Forked:
    """`taskstream ARGUMENTS` as a process of its own that has the libraries loaded already, its output in pipes."""
    return Forked("stream.cli.main", arguments, None, COLUMNS="120")


def start_anew(*arguments: str) -> subprocess.Popen[str]:
    """`taskstream ARGUMENTS` as the process that a user starts, its output in pipes."""
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def wait(process: Forked | subprocess.Popen[str]) -> Answer:
    """Wait for a process of `start` or `start_anew`."""
    out, err = process.communicate(timeout=300)
    return Answer(process.returncode, out, err)


def ledger_of(out: Path) -> list[dict[str, Any]]:
    """The events of a run's ledger; a torn last line is left out."""
    lines = (out / "ledger.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def events_of(out: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in ledger_of(out) if event["event"] == kind]


def deltas_of(out: Path) -> dict[tuple[str, str], str]:
    """Content id of the Delta of each (learner, task)."""
    return {(event["learner"], event["task"]): event["delta"] for event in events_of(out, "fit")}


def fitted(out: Path) -> list[tuple[str, str]]:
    """(learner, task) of every fit that was really done, not taken from the store."""
    return [(event["learner"], event["task"]) for event in events_of(out, "fit") if not event["cached"]]


def matrices_of(results: dict[str, Any]) -> dict[str, list[list[float | None]]]:
    return {name: learner["R"] for name, learner in results["learners"].items()}


def read_results(out: Path) -> dict[str, Any]:
    """results.json, read as strict JSON: NaN and Infinity are refused."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in results.json")

    document: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)
    return document


class Finished(NamedTuple):
    """A run that a command made, with its settings and what the command did."""

    out: Path
    settings: dict[str, Any]
    answer: Answer

    @property
    def results(self) -> dict[str, Any]:
        return read_results(self.out)
