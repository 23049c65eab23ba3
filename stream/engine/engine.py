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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from pydantic import JsonValue

from learners.backbones.backbone import Backbone
from stream.config.same_run import check_same_run
from stream.config.settings import RunConfig
from stream.config.toml import config_toml
from stream.engine.context import RunContext, prepare
from stream.engine.events import Progress, arrived, begin, keep, show, take
from stream.engine.header import check_same_inputs, must_be_told, opening_of
from stream.engine.jobs import plan_jobs
from stream.engine.progress import Handle, JobProgress
from stream.engine.resume import replay, written
from stream.errors import RunFailed
from stream.execution.messages import Message
from stream.execution.result import JobResult, needed, read_result
from stream.execution.schedule import JobFailed, run_here, run_in_workers
from stream.execution.workbench import open_workbench
from stream.execution.workers import Workers, cores
from stream.plugins.load import load_plugins
from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.results.schema import ResultsDocument
from stream.storage.events import End, Event, JobFailedEvent, as_entry, read_events
from stream.storage.files import laid_out, sole_writer, usable_folder
from stream.storage.job import Job, JobId
from stream.storage.ledger import Ledger, open_ledger
from stream.storage.plain import plain
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
    backbone: Backbone | None = None,
) -> ResultsDocument:
    """Run or continue a stream.

    Args:
        origins: Where each setting came from, for config.toml.
        handle: Called with every event; see `stream.engine.progress`.
        waiting: Workers that have begun to load their libraries, or are kept from a run before.
        backbone: That of the settings, if the caller has loaded it.

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

    with refusals_told(), load_plugins(config.plugins).in_use():
        context = prepare(config, notice, backbone)
        usable_folder(folder, f"--out {config.out}")
        usable_folder(config.store_folder, f"--store {config.store_folder}")
        with sole_writer(folder / "ledger.jsonl"):
            ledger = open_ledger(folder / "ledger.jsonl")
            if ledger.torn:
                notice(f"the ledger's last line was not finished (a crash): {ledger.torn} bytes left out")
            events = read_events(ledger)
            check_same_inputs(events, context, notice)
            for leftover in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):  # of this folder's own writers
                leftover.unlink(missing_ok=True)
            write_atomic(folder / "config.toml", config_toml(config, origins))
            with _terminated_as_interrupted():
                return _run(context, ledger, events, handle, waiting)


def _run(
    context: RunContext, ledger: Ledger, events: list[Event], handle: Handle, waiting: Workers | None
) -> ResultsDocument:
    config, learners = context.config, context.learners
    jobs = plan_jobs(context.stream, learners, config.evaluate, config.seed)
    progress = Progress(
        context=context, facts=context.facts(), ledger=ledger, handle=handle, jobs={job.id: job for job in jobs}
    )
    store, earlier = Store(config.store_folder), written(events)
    keys = {job.id: context.inputs.key(job) for job in jobs}
    finished = replay(earlier, jobs, lambda job: keys[job.id], lambda delta: store.delta_path(delta).exists())
    lost = [keys[job.id] for job in jobs if job.id not in finished and keys[job.id] in earlier]
    begin(progress, str(config.out_folder), len(finished))
    for job in jobs:
        if job.id in finished:
            take(progress, job, finished[job.id])
            show(progress, job)
    todo = tuple(job for job in jobs if job.id not in finished)
    opening = opening_of(context, progress.facts, lost)
    if todo or must_be_told(opening, events):
        ledger.append(as_entry(opening))
    try:
        _work(progress, todo, waiting)
    except JobFailed as failure:
        _write(progress)
        ledger.append(as_entry(JobFailedEvent(job=failure.job, type=failure.type, message=failure.message)))
        raise RunFailed(_failed(progress, failure)) from failure
    except KeyboardInterrupt:
        _write(progress)
        raise
    seconds = time.perf_counter() - progress.started
    if todo or ledger.events[-1]["event"] != End.kind:
        ledger.append(as_entry(End(seconds=seconds)))
    document = _write(progress)
    handle({"event": "end", "seconds": seconds, "out": str(config.out_folder)})
    return document


def _work(progress: Progress, todo: tuple[Job, ...], waiting: Workers | None) -> None:
    """Do the jobs that are left, in this process or in workers, and keep each result as it comes."""
    if not todo:
        return
    context, count = progress.context, workers_of(progress.context)
    available = {job: needed(event) for job, event in progress.events.items()}
    if count == 1:
        if waiting is not None:
            waiting.take(0)

        def done_here(job: JobId, result: JobResult) -> JobResult:
            available[job] = needed(result)
            return result

        with _process_restored():
            run_here(todo, available, open_workbench(context.setup(), context.backbone), Intake(progress, done_here))
        return
    sent = {job: plain(found) for job, found in available.items()}

    def done_there(job: JobId, value: Mapping[str, JsonValue]) -> JobResult:
        result = read_result(value)
        sent[job] = plain(needed(result))
        return result

    log = context.config.out_folder.absolute() / "workers.log"
    run_in_workers(todo, sent, plain(context.setup()), count, log, Intake(progress, done_there), waiting)


@dataclass(eq=False)
class Intake:
    """Takes in what is said of jobs under way: keeps results, writes the documents, tells the view.

    Attributes:
        result_of: The result of a job, from what was said of it.
        written: Arrivals, when the documents were written last.
    """

    progress: Progress
    result_of: Callable[[JobId, Any], JobResult]
    written: int = 0

    def __call__(self, message: Message) -> None:
        progress, job = self.progress, self.progress.jobs[message["job"]]
        if message["kind"] == "start":
            progress.handle({
                "event": "start", "job": job.id, "learner": job.learner, "task": job.tasks[-1], "kind": job.kind,
                "arrival": job.arrival, "tasks": len(job.tasks), "worker": message["worker"],
            })  # fmt: skip
        elif message["kind"] == "progress":
            about = {"job": job.id, "worker": message["worker"], **message["report"]}
            told = {**about, "event": "progress", "learner": job.learner, "task": job.tasks[-1]}
            progress.handle(cast(JobProgress, told))
        else:
            keep(progress, job, self.result_of(job.id, message["result"]))
            short = len(progress.facts.order) <= SHORT
            if arrived(progress, job) and (short or job.arrival >= LONGER * self.written):
                _write(progress)
                self.written = job.arrival
            show(progress, job)


def workers_of(context: RunContext) -> int:
    """Processes that a run has: no more than fits can ever run side by side, of isolated learners all, of chained ones
    one each."""
    tasks = len(context.stream.order)
    most = sum(1 if learner.needs_previous_fit else tasks for learner in context.learners.values())
    return min(context.config.workers or cores(), most)


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


def _write(progress: Progress) -> ResultsDocument:
    """Write results.json and each R.csv, as far as the run has come."""
    folder, ledger = progress.context.config.out_folder, progress.ledger
    document = results(progress.facts, progress.events)
    document["ledger"] = {"lines": ledger.lines, "hash": ledger.last}
    for name in progress.context.learners:
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
    job = progress.jobs.get(JobId(failure.job))
    where = failure.job if job is None else f"learner {job.learner}, task {job.tasks[-1]}, arrival {job.arrival}"
    return f"{failure.type}: {where}: {failure.message}"
