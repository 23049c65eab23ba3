"""Kills: stop runs at random instants, give them again until they end, and compare them with an uninterrupted run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from faults.world import LARGER, settings_of, wrong
from stream import run

ROOT = Path(__file__).parents[3]  # folder of the package `stream`, so that it need not be installed
AGAIN = 0.3  # share of the killed runs that are killed a second time when they continue
COMMANDS = 10  # every tenth run is the command with two workers; it is slow, as it loads the libraries each time
PATIENCE = 120  # maximum seconds for a run, which takes a few


@dataclass(frozen=True)
class Kill:
    """One trial.

    Attributes:
        how: The signal.
        command: Whether the command with two workers runs; otherwise a fork of this process.
        evaluate: Mode of evaluation of the run.
        instants: When the signal is sent, as fractions of the remaining time of an uninterrupted run.
    """

    number: int
    how: signal.Signals
    command: bool
    evaluate: str
    instants: tuple[float, ...]

    @property
    def kind(self) -> str:
        return f"{self.how.name}, {'command with two workers' if self.command else 'one process'}"


def plan_kills(count: int, seed: int) -> list[Kill]:
    """Plan `count` trials with SIGKILL, and a tenth as many with SIGTERM and with SIGINT."""
    draw = random.Random(seed)
    few = max(count // 10, 1) if count else 0
    signals = [signal.SIGKILL] * count + [signal.SIGTERM] * few + [signal.SIGINT] * few
    return [
        Kill(
            number,
            how,
            command=number % COMMANDS == COMMANDS - 1,
            evaluate=("full", "audited")[(number // COMMANDS if number % COMMANDS == COMMANDS - 1 else number) % 2],
            instants=tuple(draw.random() for _ in range(1 + (draw.random() < AGAIN))),
        )
        for number, how in enumerate(signals)
    ]


class Unexpected(Exception):
    """A continued run did not end well, or a signal did not end a run."""


@dataclass(frozen=True)
class Killing:
    """Inputs of the trials.

    Attributes:
        base: Folder to work in.
        references: Folder of an uninterrupted run, by mode of evaluation.
        seconds: Duration of an uninterrupted run, by (command, mode of evaluation).
    """

    base: Path
    references: dict[str, Path]
    seconds: dict[tuple[bool, str], float]


def open_killing(base: Path, trials: list[Kill]) -> Killing:
    """Do the uninterrupted runs and time them.

    Raises:
        Unexpected: A run did not end well.
    """
    references = {evaluate: base / f"uninterrupted-{evaluate}" for evaluate in sorted({t.evaluate for t in trials})}
    seconds: dict[tuple[bool, str], float] = {}
    for command in sorted({trial.command for trial in trials}):
        for evaluate, out in references.items():
            folder = base / f"uninterrupted-command-{evaluate}" if command else out
            began = time.perf_counter()
            _finish(_settings(base, folder, evaluate, command), command)
            seconds[command, evaluate] = time.perf_counter() - began
    return Killing(base, references, seconds)


def kill(killing: Killing, trial: Kill) -> str | None:
    """Do one trial; return what went wrong, None if the result equals that of the uninterrupted run."""
    out = killing.base / f"kill{trial.number:04}"
    given = _settings(killing.base, out, trial.evaluate, trial.command)
    try:
        left = killing.seconds[trial.command, trial.evaluate]
        for turn, instant in enumerate(trial.instants):
            while not (met := _met(given, trial, instant * left)) and turn == 0:
                shutil.rmtree(out)  # the run had ended: run it again with an earlier signal
                shutil.rmtree(cache_of(out))
                left /= 2
            left *= 1 - instant if met else 1
        _finish(given, trial.command)
    except Unexpected as error:
        return str(error)
    with patch.dict(os.environ, TASKSTREAM_CACHE=str(cache_of(out))):
        failure = wrong(out, killing.references[trial.evaluate])
    if failure is None:
        for folder in (out, cache_of(out)):
            shutil.rmtree(folder)
        log_of(out).unlink()
    return failure


def _met(given: dict[str, Any], trial: Kill, after: float) -> bool:
    """Start or continue a run, and send the signal after `after` seconds.

    Returns:
        Whether the run was still at work then.

    Raises:
        Unexpected: The signal did not end the run.
    """
    out, process = Path(given["out"]), _start(given, trial.command)
    time.sleep(after)
    met = process.poll() is None
    process.send_signal(trial.how)
    if (code := _ended(process, out)) not in (0, 130, -trial.how):
        raise Unexpected(f"exit code {code} after {trial.how.name}; see {log_of(out)}")
    return met


def log_of(out: Path) -> Path:
    """File with everything that the runs of a folder print."""
    return out.with_name(f"{out.name}.log")


def cache_of(out: Path) -> Path:
    """Folder of a run's own encoded data, so that a run can be killed while it encodes."""
    return out.with_name(f"{out.name}.cache")


def _settings(base: Path, out: Path, evaluate: str, command: bool) -> dict[str, Any]:
    return settings_of(base, out, LARGER, evaluate=evaluate, workers=2 if command else 1)


class Forked:
    """`run` in a fork of this process, which has loaded the libraries. It has the methods of `subprocess.Popen`."""

    def __init__(self, given: dict[str, Any], log: Path) -> None:
        self._code: int | None = None
        with warnings.catch_warnings():  # about threads of this process; the child does not wait for them
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            _live(given, log)

    def poll(self) -> int | None:
        if self._code is None:
            done, status = os.waitpid(self._pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if done else None
        return self._code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self._pid, number)


def _live(given: dict[str, Any], log: Path) -> None:
    """Run in the child and exit with the command's exit codes. Never returns."""
    code = 3
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with log.open("a") as file:
            for descriptor in (1, 2):
                os.dup2(file.fileno(), descriptor)
        os.environ["TASKSTREAM_CACHE"] = str(cache_of(Path(given["out"])))
        run(**given)
        code = 0
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _start(given: dict[str, Any], command: bool) -> Forked | subprocess.Popen[bytes]:
    out = Path(given["out"])
    if not command:
        return Forked(given, log_of(out))
    options = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    environment = {**os.environ, "TASKSTREAM_CACHE": str(cache_of(out))}
    called = [sys.executable, "-m", "stream.cli.main", "run", *options, "--display", "none"]
    with log_of(out).open("a") as file:
        return subprocess.Popen(called, stdout=file, stderr=file, env=environment, cwd=ROOT)


def _ended(process: Forked | subprocess.Popen[bytes], out: Path) -> int:
    """Wait for a run to end; return its exit code, negative for a signal.

    Raises:
        Unexpected: It took longer than `PATIENCE` and was killed.
    """
    end = time.monotonic() + PATIENCE
    while (code := process.poll()) is None:
        if time.monotonic() > end:
            process.send_signal(signal.SIGKILL)
            raise Unexpected(f"{out}: did not end within {PATIENCE} s")
        time.sleep(0.005)
    return code


def _finish(given: dict[str, Any], command: bool) -> None:
    out = Path(given["out"])
    if code := _ended(_start(given, command), out):
        words = log_of(out).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise Unexpected(f"{out}: exit code {code}: {words[-1] if words else ''}")
