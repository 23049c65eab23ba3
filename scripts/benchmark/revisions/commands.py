"""Processes timed from start to end, or until a worker is ready: wall clock, and CPU seconds of all their children."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.clock import Moment, Spent
from benchmark.process import ALONE, ContenderFailed, environment
from stream.execution.workers import MEMORY
from tasks.home import VARIABLE

COMMAND = (sys.executable, "-P", "-m", "stream")
WORKER = (sys.executable, "-P", "-m", "stream.execution.worker")


def timed(arguments: Sequence[str], tree: Path, cache: Path, log: Path) -> Spent:
    """Run `python -m stream ARGUMENTS` with the packages of a tree.

    Args:
        cache: Folder of its caches.
        log: File that receives what it prints.

    Raises:
        ContenderFailed: The command failed.
    """
    with log.open("a", encoding="utf-8") as output:
        since = Moment()
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment({**ALONE, VARIABLE: str(cache)}, tree),
        )
        spent = _ended(process, since)
    if process.returncode:
        raise ContenderFailed(f"{' '.join(arguments)} in {tree}: exit code {process.returncode}; see {log}")
    return spent


def worker_ready(setup: Mapping[str, Any], tree: Path, cache: Path, log: Path) -> Spent:
    """Start a worker of a tree, send it the setup of a run at once, and wait until it is ready. Then end it.

    Raises:
        ContenderFailed: The worker failed or ended.
    """
    with log.open("a", encoding="utf-8") as errors:
        since = Moment()
        process = subprocess.Popen(
            WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment({**ALONE, **MEMORY, VARIABLE: str(cache)}, tree),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            process.stdin.write(json.dumps({"log": str(log), "setup": setup}) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            seconds = since.spent().seconds
            os.kill(process.pid, signal.SIGKILL)  # Popen.kill would collect a worker that has ended, and lose its usage
        cpu = _ended(process, since).cpu
    if not answer or json.loads(answer) != {"kind": "ready"}:
        raise ContenderFailed(f"a worker of {tree}: {answer.strip() or 'it ended'}; see {log}")
    return Spent(seconds, cpu)


def check_tree(tree: Path) -> None:
    """Check that a process with this tree imports the tree's packages, and not others.

    Raises:
        ContenderFailed: It imports others.
    """
    names = "tasks, learners, stream"
    code = f"import {names}; print(*(module.__file__ for module in ({names})), sep='\\n')"
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [sys.executable, "-P", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(ALONE, tree), cwd=elsewhere)
    wrong = [file for file in done.stdout.split("\n")[:-1] if not Path(file).resolve().is_relative_to(tree.resolve())]
    if wrong or done.returncode:
        raise ContenderFailed(f"a process of {tree} imports {', '.join(wrong) or 'nothing'}: {done.stderr.strip()}")


def _ended(process: subprocess.Popen[Any], since: Moment) -> Spent:
    """Wait for the end of a process. `cpu` includes all of its children that have ended."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Spent(since.spent().seconds, usage.ru_utime + usage.ru_stime)
