"""Worker processes: started before there is work, told of runs and jobs, listened to, kept for the next run, ended."""

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

from stream.execution.messages import Order, WorkerMessage
from tasks.errors import InputError

Process = subprocess.Popen[str]
Inbox = queue.Queue[tuple[int, WorkerMessage | None]]  # number of a worker and what it says; None: it ended
AHEAD = 8  # more are started once it is known that they have something to do
# glibc hands large blocks back to the system after every use, and the system clears the pages each time anew: a ninth
# of a training step on a small encoder, and of a full one on MiniLM. So no block is mapped for itself (a threshold for
# that would be 32 MB at most, less than the gradient of a word table), and free ones are kept, up to a limit. oneDNN
# keeps code for every shape it has met: 1,024 of them take 200 MB, and a fit meets few. Other libraries ignore these.
MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(512 << 20),
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
}

# Settings of the libraries that choose between kernels, or between precisions.
ARITHMETIC = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_CBWR",
              "MKL_ENABLE_INSTRUCTIONS", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")  # fmt: skip


@dataclass(eq=False)
class Worker:
    """A process, and where what it says goes while it has a run."""

    process: Process
    number: int = 0
    inbox: Inbox = field(default_factory=queue.Queue)
    listener: threading.Thread | None = None
    ended: bool = False
    arithmetic: Mapping[str, str] = field(default_factory=lambda: arithmetic())  # its own, to its end
    lock: threading.Lock = field(default_factory=threading.Lock)  # the last word must reach the run that waits for it

    def engage(self, number: int, inbox: Inbox, log: str, setup: Mapping[str, Any]) -> None:
        """Give it a run, in which it has a number. It says when it is ready."""
        with self.lock:
            self.number, self.inbox = number, inbox
            if self.ended:
                inbox.put((number, None))
        if self.listener is None:
            self.listener = threading.Thread(target=self._listen, daemon=True)
            self.listener.start()
        self.tell({"log": log, "setup": setup})

    def tell(self, order: Order) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it died; its listener says so
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """End it and close its pipes, or a program of many runs would run out of files."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.listener is None:
            self.process.stdout.close()
        else:
            self.listener.join(timeout=5)  # seconds; a worker's child that holds its pipe must not hold the run

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):  # else it died while it wrote
                    self.inbox.put((self.number, json.loads(line)))
        with self.lock:
            self.ended = True
            self.inbox.put((self.number, None))


@dataclass(eq=False)
class Workers:
    """Workers that wait for a run: it takes seconds until their libraries are loaded.

    Attributes:
        count: How many a run has.
        kept: Whether they wait for further runs too, with the backbone of the last one in memory.
        errors: What they print to standard error before they know of a run's log; None if there is no place for it.
    """

    count: int
    kept: bool
    errors: IO[str] | None
    waiting: list[Worker] = field(default_factory=list)

    def take(self, count: int) -> list[Worker]:
        """At most so many, from now on the caller's to end or to give back; unless they are kept, others end.

        Raises:
            InputError: They were kept for a `with` block that is over.
        """
        if self.errors is not None and self.errors.closed:
            raise InputError("these workers have ended", where="workers", fix="run inside the block of kept_workers()")
        now = arithmetic()  # which the results of a run state
        alive = [each for each in self.waiting if each.process.poll() is None and each.arithmetic == now]
        end_all(worker for worker in self.waiting if worker not in alive)
        taken, self.waiting = alive[:count], alive[count:]
        if not self.kept:
            self.end()
        return taken

    def give_back(self, workers: Iterable[Worker]) -> None:
        """Keep workers that have nothing to do any more, or end them."""
        if self.kept:
            self.waiting[:0] = workers  # those that have a backbone come first
        else:
            end_all(workers)

    def end(self) -> None:
        """End those that nobody has taken."""
        end_all(self.waiting)
        self.waiting = []

    def told(self) -> str:
        """What they have printed since this was asked last."""
        if self.errors is None or self.errors.closed:
            return ""
        self.errors.seek(0)
        found = self.errors.read()
        self.errors.truncate(0)
        return found


def end_all(workers: Iterable[Worker]) -> None:
    for worker in workers:
        worker.end()


@contextmanager
def waiting_workers(count: int | None = None, *, kept: bool = False) -> Iterator[Workers]:
    """Start the workers of a run, or of several, of which nothing is known yet but their number; None: one a core.

    Of one there is none: its work is done in the process itself.
    """
    workers = Workers(count or cores(), kept, None)
    with ExitStack() as stack:
        with suppress(OSError):  # no place for what they print: then they start when the run's folder is there
            workers.errors = stack.enter_context(tempfile.TemporaryFile("a+", encoding="utf-8", errors="replace"))
        stack.callback(workers.end)
        if workers.errors is not None and workers.count > 1:
            for _ in range(min(workers.count, AHEAD)):
                workers.waiting.append(start(workers.errors))
        yield workers


def arithmetic() -> dict[str, str]:
    """The variables of this process's environment that choose between kernels."""
    return {name: os.environ[name] for name in ARITHMETIC if name in os.environ}


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(errors: IO[str]) -> Worker:
    return Worker(_process(errors))


def _process(errors: IO[str]) -> Process:
    # -P: a tasks.py in the current folder must not come before ours. One thread in every library. Not in the
    # terminal's process group: the run itself answers Ctrl-C.
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
