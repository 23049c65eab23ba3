"""The pool: runs jobs as their needs are met, here or in worker processes, and tells what happens."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.plan import Job  # which imports torch: seconds before anything is shown, and before workers start

Message = dict[str, Any]  # {"kind": "start" | "progress" | "done", "job": id, "worker": n, ...}
Emit = Callable[[Message], None]
Process = subprocess.Popen[str]
# glibc hands large blocks back to the system after every use, and the system clears the pages each time anew: a ninth
# of a training step on a small encoder. So blocks are kept, up to a limit. oneDNN keeps code for every shape it has
# met: 1,024 of them take 200 MB, and a fit meets few. Other libraries ignore these.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
}


class JobFailed(Exception):
    """A job could not be done; `type` is the name of the exception it ended with."""

    def __init__(self, job: str, type: str, message: str) -> None:
        super().__init__(f"{job}: {message}")
        self.job, self.type, self.message = job, type, message


def next_job(
    waiting: list[Job], results: Mapping[str, Any], worker: int = 0, owners: Mapping[str, int] | None = None
) -> Job | None:
    """The first waiting job, in plan order, all of whose needs have results.

    Args:
        owners: Worker of each learner whose fits stay with one, as far as there is one.
    """
    own = owners or {}
    return next(
        (
            job
            for job in waiting
            if (not job.stays or own.get(job.learner, worker) == worker)
            # The last need is the newest, so the likeliest to be missing.
            and all(need in results for need in reversed(job.needs))
        ),
        None,
    )


def run_here(jobs: tuple[Job, ...], results: dict[str, Any], bench: Any, emit: Emit) -> None:
    """Do all jobs in this process, in plan order; `results` holds and receives results by job id.

    Raises:
        JobFailed: A job ended with an exception.
    """
    from stream.execute import FAILURES, execute

    for job in jobs:
        emit({"kind": "start", "job": job.id, "worker": 0})

        def report(event: Message, job: Job = job) -> None:
            emit({"kind": "progress", "job": job.id, "worker": 0, **event})

        try:
            results[job.id] = execute(bench, job, {need: results[need] for need in job.needs}, report)
        except FAILURES as error:
            raise JobFailed(job.id, type(error).__name__, str(error)) from error
        emit({"kind": "done", "job": job.id, "worker": 0, "result": results[job.id]})


AHEAD = 8  # more are started once it is known that they have something to do


@dataclass(eq=False)
class Ahead:
    """Workers that load their libraries, which takes seconds, while a run is prepared."""

    waiting: list[Process]
    errors: IO[str]

    def end(self) -> None:
        """End those that nobody has taken."""
        for process in self.take(len(self.waiting)):
            _end(process)
            assert process.stdout is not None
            process.stdout.close()

    def take(self, count: int) -> list[Process]:
        """At most so many, from now on the caller's to end."""
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def told(self) -> str:
        """What they have printed to standard error before they knew of a run's log."""
        self.errors.seek(0)
        return self.errors.read()


@contextmanager
def workers_ahead(workers: int | None) -> Iterator[Ahead | None]:
    """Start the workers of a run of which nothing is known yet but their number; None: one for each core."""
    count = min(workers or cores(), AHEAD)
    with ExitStack() as stack:
        try:
            errors = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
        except OSError:  # no place for what they print: then they start when the run's folder is there
            count = 0
        if count < 2:
            yield None
            return
        ahead = Ahead([], errors)
        stack.callback(ahead.end)
        for _ in range(count):
            ahead.waiting.append(_start(errors))
        yield ahead


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_workers(
    jobs: tuple[Job, ...],
    results: dict[str, Any],
    setup: Mapping[str, Any],
    workers: int,
    log: Path,
    emit: Emit,
    ahead: Ahead | None = None,
) -> None:
    """Do all jobs in `workers` processes; `results` holds and receives results by job id.

    Args:
        log: File for what workers print to standard error; gone after a good end at which it is empty.
        ahead: Workers that are there already.

    Raises:
        JobFailed: A job ended with an exception, or its process died (out of memory, for one).
    """
    running: dict[int, Job] = {}
    owners: dict[str, int] = {}
    waiting = list(jobs)
    inbox: queue.Queue[tuple[int, Message | None]] = queue.Queue()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as errors:
        count, processes, listeners = min(workers, len(jobs)), list[Process](), list[threading.Thread]()
        try:
            if ahead is not None:
                processes += ahead.take(count)
                ahead.end()
            for _ in range(count - len(processes)):
                processes.append(_start(errors))  # one by one: those there are must end if one cannot start
            for number, process in enumerate(processes):
                listeners.append(threading.Thread(target=_listen, args=(number, process, inbox), daemon=True))
            for listener, process in zip(listeners, processes, strict=True):
                listener.start()
                _tell(process, {"log": str(log), "setup": setup})
            idle: list[int] = []
            while waiting or running:
                number, message = inbox.get()
                if message is None:
                    job_id = running[number].id if number in running else "starting a worker"
                    raise JobFailed(job_id, "WorkerDied", f"a worker process ended (out of memory?); see {log}")
                if message["kind"] == "progress":
                    emit({**message, "worker": number})
                    continue
                if message["kind"] == "failed":
                    raise JobFailed(message["job"], message["type"], message["message"])
                if message["kind"] == "done":
                    results[message["job"]] = message["result"]
                    del running[number]
                    emit({**message, "worker": number})
                idle.append(number)
                for free in sorted(idle):
                    job = next_job(waiting, results, free, owners)
                    if job is None:
                        continue  # there may be one that stays with another
                    if job.stays:
                        owners.setdefault(job.learner, free)
                    idle.remove(free)
                    waiting.remove(job)
                    running[free] = job
                    emit({"kind": "start", "job": job.id, "worker": free})
                    needed = {need: results[need] for need in job.needs}
                    _tell(processes[free], {"job": asdict(job), "results": needed})
        finally:
            for process in processes:
                _end(process)
            for listener in listeners:
                if listener.ident is not None:  # not if the run was interrupted before it was started
                    listener.join(timeout=5)  # seconds; a worker's child that holds its pipe must not hold the run
            if ahead is not None:
                errors.write(ahead.told())
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


def _start(errors: IO[str]) -> Process:
    # -P: a tasks.py in the current folder must not come before ours. One thread in every library. Not in the
    # terminal's process group: the run itself answers Ctrl-C.
    environment = {**MEMORY, **os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "stream.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        env=environment,
        start_new_session=True,
    )


def _listen(number: int, process: Process, inbox: queue.Queue[tuple[int, Message | None]]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            if line.endswith("\n"):  # else it died while it wrote
                inbox.put((number, json.loads(line)))
    inbox.put((number, None))


def _tell(process: Process, message: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died; its listener says so


def _end(process: Process) -> None:
    """End a worker and close what is written to it, or a program of many runs would run out of files."""
    assert process.stdin is not None
    process.kill()
    process.wait()
    with suppress(BrokenPipeError):
        process.stdin.close()
