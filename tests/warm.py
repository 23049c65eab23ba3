"""New processes of the command and of workers that have PyTorch loaded, which otherwise takes seconds.

They are forks of a server of `multiprocessing` that loads the libraries, but none of our modules, once per session.
Everything else is as in a process started anew: pipes, environment, folder, signals and exit code. Other tests start
real processes with `subprocess` (test_run.py, test_schedule.py).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from threading import Thread
from typing import IO, Any

LIBRARIES = ["torch", "torch.utils.flop_counter", "numpy", "tokenizers", "pydantic", "rich.console", "typer"]
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(LIBRARIES)


@dataclass
class Descriptors:
    """Standard input, output and error of the new process. Pickling sends them to the server."""

    numbers: Sequence[int]

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, ([DupFd(number) for number in self.numbers],)


class Forked:
    """A process with the methods of `subprocess.Popen(..., text=True)`, which cannot wrap a fork of another process."""

    def __init__(self, module: str, arguments: Sequence[str], errors: IO[str] | None, **more: str) -> None:
        """Run `main()` of a module.

        Args:
            arguments: `sys.argv[1:]` of the process.
            errors: File for standard error; None makes a pipe.
            more: Further environment variables.
        """
        pipes = [os.pipe(), os.pipe()] + ([] if errors else [os.pipe()])
        theirs = [pipes[0][0], pipes[1][1], errors.fileno() if errors else pipes[2][1]]
        given = (module, list(arguments), {**os.environ, **more}, os.getcwd(), Descriptors(theirs))
        self.process: ForkServerProcess = SERVER.Process(target=_live, args=given)
        self.process.start()
        for number in theirs[: len(pipes)]:
            os.close(number)
        self.stdin: IO[str] = os.fdopen(pipes[0][1], "w", encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(pipes[1][0], encoding="utf-8")
        self.stderr: IO[str] | None = None if errors else os.fdopen(pipes[2][0], encoding="utf-8")
        self.pid = self.process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    poll = returncode.fget

    def wait(self, timeout: float | None = None) -> int:
        self.process.join(timeout)
        if self.process.exitcode is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.process.name, timeout)
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.process.pid or 0, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Close the input of the process, wait for its end, and return its output and errors."""
        self.stdin.close()
        said = ["", ""]

        def read(index: int, pipe: IO[str]) -> None:
            with pipe:
                said[index] = pipe.read()

        readers = [Thread(target=read, args=each) for each in enumerate((self.stdout, self.stderr)) if each[1]]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        return said[0], said[1]


def _live(
    module: str, arguments: list[str], environment: Mapping[str, str], folder: str, descriptors: Sequence[Any]
) -> None:
    """Set up the new process and run `main()` of the module in it."""
    import importlib

    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(received := descriptor.detach(), number)
        os.close(received)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path += [each for each in environment.get("PYTHONPATH", "").split(os.pathsep) if each and each not in sys.path]
    sys.argv = [module, *arguments]
    if (
        module == "stream.cli.main"
    ):  # its workers come from the same server, which is none that this process could start
        from stream.execution import workers

        forkserver._forkserver.ensure_running = lambda: None
        workers._process = worker
    importlib.import_module(module).main()


def worker(errors: IO[str]) -> Forked:
    """Start a worker; replaces `stream.execution.workers._process`."""
    return Forked("stream.execution.worker", (), errors, OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")


def stop() -> None:
    """Stop the server, so that the system adds the CPU time of its processes to this one."""
    forkserver._forkserver._stop()
