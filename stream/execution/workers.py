"""Worker processes, seen from the run: start them, send runs and jobs to them, receive their answers, reuse or end
them."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from stream.execution.cores import usual_workers
from stream.execution.messages import Order, WorkerMessage
from tasks.errors import InputError

Process = subprocess.Popen[str]
Inbox = queue.Queue[tuple[int, WorkerMessage | None]]  # number of a worker and its message; None: the worker ended
AHEAD = 8  # most workers to start before the jobs are known; more start when there are jobs for them
# By default, glibc returns a large block to the system after each use, and the system clears its pages again for the
# next use. This takes a ninth of a training step, on a small encoder and for full fine-tuning of MiniLM. So no block
# gets its own mapping (the threshold for that is 32 MB at most, less than the gradient of a word table), and free
# blocks are kept up to a limit. oneDNN keeps compiled code for every shape: its 1,024 entries take 200 MB, and a fit
# has few shapes. Other libraries ignore these variables.
MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
}

# Environment variables by which libraries choose kernels or precisions.
ARITHMETIC = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_CBWR",
              "MKL_ENABLE_INSTRUCTIONS", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")  # fmt: skip


@dataclass(eq=False)
class Worker:
    """A worker process and the connection to it.

    Attributes:
        process: The process.
        number: Number of the worker in its run, from 0.
        inbox: Queue of the run that receives the worker's messages.
        listener: Thread that reads the worker's messages; None before its first run.
        ended: Whether the worker's output has ended.
        arithmetic: `arithmetic()` at the start of the process; it cannot change later.
        lock: Makes sure that the message about the worker's end reaches the run that it is assigned to.
    """

    process: Process
    number: int = 0
    inbox: Inbox = field(default_factory=queue.Queue)
    listener: threading.Thread | None = None
    ended: bool = False
    arithmetic: Mapping[str, str] = field(default_factory=lambda: arithmetic())
    lock: threading.Lock = field(default_factory=threading.Lock)

    def assign_run(self, number: int, inbox: Inbox, log: str, setup: Mapping[str, Any]) -> None:
        """Assigns the worker to a run. The worker sends `ready` when it has loaded the setup.

        Args:
            number: Number of the worker in this run, from 0.
            inbox: Queue that receives its messages.
            log: Path of the file for its output.
            setup: The `Setup` of the run as a plain JSON value.
        """
        with self.lock:
            self.number, self.inbox = number, inbox
            if self.ended:
                inbox.put((number, None))
        if self.listener is None:
            self.listener = threading.Thread(target=self._listen, daemon=True)
            self.listener.start()
        self.send({"log": log, "setup": setup})

    def send(self, order: Order) -> None:
        """Sends one line to the worker."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # the worker died; its listener reports that
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Ends the process and closes its pipes. Without that, a program with many runs would have too many open
        files."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.listener is None:
            self.process.stdout.close()
        else:
            self.listener.join(timeout=5)  # seconds: a child of the worker may keep the pipe open, but must not block

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else the worker died while it wrote the line
                    self.inbox.put((self.number, json.loads(line)))
        with self.lock:
            self.ended = True
            self.inbox.put((self.number, None))


@dataclass(eq=False)
class Workers:
    """Started workers that wait for a run. Loading their libraries takes seconds.

    Attributes:
        count: Number of workers of a run.
        reuse: Whether workers stay for later runs, with the backbone of the last run in memory.
        errors: File for their output before they know the log of a run; None if it could not be made.
        waiting: The workers that no run has taken. Those that have loaded a backbone come first.
    """

    count: int
    reuse: bool
    errors: IO[str] | None
    waiting: list[Worker] = field(default_factory=list)

    def start(self, count: int) -> None:
        """Starts workers for a run of up to `count` workers, unless some wait already. They load libraries meanwhile.

        A run with one worker starts none: its own process does the jobs.
        """
        if self.errors is not None and count > 1 and not self.waiting:
            for _ in range(min(count, self.count, AHEAD)):
                self.waiting.append(start_worker(self.errors))

    def take(self, count: int) -> list[Worker]:
        """Takes up to `count` workers. The caller must end them or give them back.

        Ends the other waiting workers unless `reuse` is true.

        Raises:
            InputError: The `with` block of `waiting_workers` is over.
        """
        if self.errors is not None and self.errors.closed:
            raise InputError("these workers have ended", where="workers", fix="run inside the block of kept_workers()")
        now = arithmetic()  # results record these variables, so a worker with other values must not be used
        usable = [each for each in self.waiting if each.process.poll() is None and each.arithmetic == now]
        end_all(worker for worker in self.waiting if worker not in usable)
        taken, self.waiting = usable[:count], usable[count:]
        if not self.reuse:
            self.end()
        return taken

    def give_back(self, workers: Iterable[Worker]) -> None:
        """Takes back workers that have no more jobs: they wait for the next run if `reuse` is true, else they end."""
        if self.reuse:
            self.waiting[:0] = workers
        else:
            end_all(workers)

    def end(self) -> None:
        """Ends the workers that no run has taken."""
        end_all(self.waiting)
        self.waiting = []

    def read_errors(self) -> str:
        """Returns the output of the workers since the last call of this function."""
        if self.errors is None or self.errors.closed:
            return ""
        self.errors.seek(0)
        text = self.errors.read()
        self.errors.truncate(0)
        return text


def end_all(workers: Iterable[Worker]) -> None:
    """Ends each of these workers."""
    for worker in workers:
        worker.end()


@contextmanager
def waiting_workers(count: int | None = None, *, reuse: bool = False, start: bool = True) -> Iterator[Workers]:
    """Starts workers for a `with` block, before the jobs of the run are known.

    Args:
        count: Number of workers; None (default) is one per core, or fewer (`usual_workers`).
        reuse: Whether the workers stay for later runs. Default: False.
        start: Whether to start them at once. False leaves this to `Workers.start`. Default: True.
    """
    workers = Workers(count or usual_workers(), reuse, None)
    with ExitStack() as stack:
        with suppress(OSError):  # no temporary file for their output: they start later, when the run's folder exists
            workers.errors = stack.enter_context(tempfile.TemporaryFile("a+", encoding="utf-8", errors="replace"))
        stack.callback(workers.end)
        if start:
            workers.start(workers.count)
        yield workers


def arithmetic() -> dict[str, str]:
    """Returns the environment variables of this process that choose kernels or precisions."""
    return {name: os.environ[name] for name in ARITHMETIC if name in os.environ}


def start_worker(errors: IO[str]) -> Worker:
    """Starts a worker process.

    Args:
        errors: File for its standard error.
    """
    return Worker(_process(errors))


def _process(errors: IO[str]) -> Process:
    # -P: a tasks.py in the current folder must not replace our package. One thread in every library. A session of its
    # own: only the run receives Ctrl-C from the terminal.
    environment = {**MEMORY, **os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "stream.execution.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        env=environment,
        start_new_session=True,
    )
