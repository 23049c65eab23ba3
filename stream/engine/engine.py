"""The engine: a prepared run becomes jobs, their results become events of the ledger, events become results.

The same call continues an interrupted run: a job whose event is in the ledger under an equal key is not done again, and
a fit whose recipe is in the store is not fitted again.
"""

from __future__ import annotations

import errno
import gc
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from stream.config import RunConfig, check_same_run, config_toml
from stream.engine.context import RunContext, prepare
from stream.engine.events import Handle, Progress, arrived, begin, keep, show, take
from stream.engine.header import check_same_inputs, lacks, opened
from stream.engine.jobs import plan_jobs
from stream.engine.resume import replay, written
from stream.errors import RunFailed
from stream.execution.job import open_workbench
from stream.execution.schedule import JobFailed, run_here, run_in_workers
from stream.execution.workers import Message, Workers, cores
from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.storage.files import laid_out, sole_writer, usable_folder
from stream.storage.job import Job
from stream.storage.ledger import Ledger, open_ledger
from stream.storage.store import Store
from tasks.files import write_atomic

# To write the results takes arrivals times tasks. In a stream of up to SHORT tasks they are written at each arrival,
# which takes milliseconds; in a longer one whenever there are LONGER times as many arrivals, so that all writings
# together take some five times the last.
SHORT, LONGER = 100, 1.25


def run_stream(
    config: RunConfig,
    origins: Mapping[str, str],
    handle: Handle = lambda event: None,
    waiting: Workers | None = None,
) -> dict[str, Any]:
    """Run or continue a stream.

    Args:
        origins: Where each setting came from, for config.toml.
        handle: Called with every event; see `stream.report` for those that are shown.
        waiting: Workers that have begun to load their libraries, or are kept from a run before.

    Returns:
        The results, as written to OUT/results.json.

    Raises:
        InputError, InputErrors: Bad settings or data, a folder that cannot be written, or one in use.
        RunFailed: A job failed, a task was not what it was when learned, or the disk is full.
        KeyboardInterrupt: After the results so far were written.
    """
    folder = config.out_folder
    check_same_run(folder / "config.toml", config)

    def notice(text: str) -> None:
        handle({"event": "notice", "message": text})

    with refusals_told():
        prepared = prepare(config, notice)
        usable_folder(folder, f"--out {config.out}")
        usable_folder(config.store_folder, f"--store {config.store_folder}")
        with sole_writer(folder / "ledger.jsonl"):
            ledger = open_ledger(folder / "ledger.jsonl")
            if ledger.torn:
                notice(f"the ledger's last line was not finished (a crash): {ledger.torn} bytes left out")
            check_same_inputs(ledger, prepared, notice)
            for leftover in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):  # of this folder's own writers
                leftover.unlink(missing_ok=True)
            write_atomic(folder / "config.toml", config_toml(config, origins))
            with _terminated_as_interrupted():
                return _run(prepared, ledger, handle, waiting)


def _run(prepared: RunContext, ledger: Ledger, handle: Handle, waiting: Workers | None) -> dict[str, Any]:
    config, learners = prepared.config, prepared.learners
    jobs = plan_jobs(prepared.stream, learners, config.evaluate, config.seed)
    progress = Progress(
        prepared=prepared, facts=prepared.facts(), ledger=ledger, handle=handle, jobs={job.id: job for job in jobs}
    )
    store, earlier = Store(config.store_folder), written(ledger.events)
    keys = {job.id: prepared.inputs.key(job) for job in jobs}
    finished = replay(earlier, jobs, lambda job: keys[job.id], lambda delta: store.delta_path(delta).exists())
    lost = [keys[job.id] for job in jobs if job.id not in finished and keys[job.id] in earlier]
    begin(progress, str(config.out_folder), len(finished))
    for job in jobs:
        if job.id in finished:
            take(progress, job, finished[job.id])
            show(progress, job)
    todo = tuple(job for job in jobs if job.id not in finished)
    opening = opened(prepared, progress.facts, lost)
    if todo or lacks(ledger, opening):
        ledger.append(opening)
    try:
        _work(progress, todo, waiting)
    except JobFailed as failure:
        _write(progress)
        ledger.append({"event": "failed", "job": failure.job, "type": failure.type, "message": failure.message})
        raise RunFailed(_failed(progress, failure)) from failure
    except KeyboardInterrupt:
        _write(progress)
        raise
    seconds = time.perf_counter() - progress.started
    if todo or ledger.events[-1]["event"] != "end":
        ledger.append({"event": "end", "seconds": seconds})
    document = _write(progress)
    handle({"event": "end", "seconds": seconds, "out": str(config.out_folder)})
    return document


def _work(progress: Progress, todo: tuple[Job, ...], waiting: Workers | None) -> None:
    """Do the jobs that are left, in workers or here, and keep each result as it comes."""
    if not todo:
        return
    config, prepared = progress.prepared.config, progress.prepared
    available = {done: needed(event) for done, event in progress.events.items()}
    written, short = 0, len(prepared.stream.order) <= SHORT

    def emit(message: Message) -> None:
        nonlocal written
        job = progress.jobs[message["job"]]
        about: dict[str, Any] = {"job": job.id, "learner": job.learner, "task": job.tasks[-1]}
        if message["kind"] == "done":
            available[job.id] = needed(message["result"])
            keep(progress, job, message["result"])
            if arrived(progress, job) and (short or job.arrival >= LONGER * written):
                _write(progress)
                written = job.arrival
            show(progress, job)
        elif message["kind"] == "start":
            about |= {"kind": job.kind, "arrival": job.arrival, "tasks": len(job.tasks), "worker": message["worker"]}
            progress.handle({"event": "start", **about})
        else:
            progress.handle({**{k: v for k, v in message.items() if k != "kind"}, "event": "progress", **about})

    workers = workers_of(prepared)
    if workers == 1:
        if waiting is not None:
            waiting.take(0)
        with _process_restored():
            run_here(todo, available, open_workbench(prepared.setup(), prepared.backbone), emit)
    else:
        log = config.out_folder.absolute() / "workers.log"
        run_in_workers(todo, available, prepared.setup().as_dict(), workers, log, emit, waiting)


def needed(result: Mapping[str, Any]) -> dict[str, Any]:
    """What later jobs take of a result: of a fit its Delta or why there is none, of a row that it is there."""
    return {key: result[key] for key in ("task", "delta", "digests", "failed", "last_good") if key in result}


def workers_of(prepared: RunContext) -> int:
    """Processes that a run has: no more than fits can ever run side by side, of isolated learners all, of chained ones
    one each."""
    tasks = len(prepared.stream.order)
    most = sum(1 if learner.needs_previous_fit else tasks for learner in prepared.learners.values())
    return min(prepared.config.workers or cores(), most)


@contextmanager
def _process_restored() -> Iterator[None]:
    """Work in the caller's process must not leave PyTorch's threads changed, nor what the collector looks at."""
    before = torch.get_num_threads()
    frozen = gc.get_freeze_count()
    if not frozen:
        gc.freeze()  # every fit begins with a collection: a third of a second if it goes through the libraries again
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        torch.set_num_threads(before)


def _write(progress: Progress) -> dict[str, Any]:
    """Write results.json and each R.csv, as far as the run has come."""
    folder = progress.prepared.config.out_folder
    ledger = progress.ledger
    document = results(progress.facts, progress.events) | {"ledger": {"lines": ledger.lines, "hash": ledger.last}}
    for name in progress.prepared.learners:
        write_atomic(folder / name / "R.csv", to_csv(matrix_of(progress.facts.order, name, progress.events)))
    write_atomic(folder / "results.json", laid_out(document) + "\n")
    return document


@contextmanager
def refusals_told() -> Iterator[None]:
    """A disk that is full, or that cannot be written or read, ends the run in one line.

    Raises:
        RunFailed: It did.
    """
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        told = f"cannot write: {what}; make room" if full else f"{what}; see to that"
        raise RunFailed(f"{told}, then go on") from error


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, by which systems end a process, is taken as Ctrl-C: the results so far are written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(progress: Progress, failure: JobFailed) -> str:
    job = progress.jobs.get(failure.job)
    where = failure.job if job is None else f"learner {job.learner}, task {job.tasks[-1]}, arrival {job.arrival}"
    return f"{failure.type}: {where}: {failure.message}"
