"""Runs a stream: settings become jobs, results of jobs become events of the ledger, events become the results.

The same command continues an interrupted run. A job is not done again if the ledger has its event under an equal key.
A fit is not run again if the store has its recipe.
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
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from learners.backbones.backbone import Backbone
from learners.device import CPU, device_named
from stream.config.settings import RunConfig
from stream.engine.context import RunContext, prepare
from stream.engine.events import (
    ActiveRun,
    add_event,
    arrival_done,
    fit_without_worker,
    record,
    show,
    show_run,
    trial_without_worker,
)
from stream.engine.header import check_same_inputs, check_settings, config_text, header_of, must_write_header
from stream.engine.jobs import plan_jobs
from stream.engine.outlook import outlook, remember_pace
from stream.engine.progress import Handle, JobProgress
from stream.engine.protocol_cost import protocol_cost
from stream.engine.resolve import Resolved, resolve
from stream.engine.resume import counts_in, finished_events, latest_events
from stream.errors import RunFailed
from stream.execution.cores import usual_workers
from stream.execution.messages import Message
from stream.execution.pending import JobFailed
from stream.execution.result import JobResult, needed, read_result
from stream.execution.schedule import run_here, run_in_workers
from stream.execution.switches import switches, take_switches
from stream.execution.workbench import open_workbench
from stream.execution.workers import Workers
from stream.plugins.load import load_plugins
from stream.results.document import matrix_of, results
from stream.results.matrix import to_csv
from stream.results.schema import ResultsDocument
from stream.selection.trials import trials_of
from stream.storage.events import End, Event, FitEvent, JobFailedEvent, as_entry, read_events
from stream.storage.files import readable_json, sole_writer, usable_folder
from stream.storage.job import Job, JobId
from stream.storage.learner_folder import renamed_folder
from stream.storage.ledger import Ledger, open_ledger
from stream.storage.plain import plain
from stream.storage.registry import register
from stream.storage.store import Store
from tasks.files import write_atomic

# The time to write the results grows with arrivals times tasks. In a stream of up to SHORT tasks they are written after
# each arrival, which takes milliseconds. In a longer stream they are written when the number of arrivals has grown by
# the factor LONGER since the last time; all writes together then take about five times as long as the last one.
SHORT, LONGER = 100, 1.25


def run_stream(
    config: RunConfig,
    origins: Mapping[str, str],
    handle: Handle = lambda event: None,
    waiting: Workers | None = None,
    backbone: Backbone | None = None,
) -> ResultsDocument:
    """Runs or continues a stream.

    Args:
        config: The settings.
        origins: Origin of each setting (command line, file, default), for config.toml.
        handle: Called with every event of `stream.engine.progress`. Default: does nothing.
        waiting: Workers that are already started. None (default) starts new ones.
        backbone: The backbone of the settings if it is already loaded. None (default) loads it.

    Returns:
        The results, equal to the content of OUT/results.json.

    Raises:
        InputError, InputErrors: The settings or the data are wrong, or a folder cannot be written or is in use.
        RunFailed: A job failed, an isolated learner gave other logits for a learned task, or the disk is full.
        KeyboardInterrupt: The user interrupted the run. The results so far are written before.
    """
    folder = config.out_folder
    check_settings(config)  # also below, because another process may begin a run meanwhile

    def notice(text: str) -> None:
        handle({"event": "notice", "message": text})

    with disk_errors(), load_plugins(config.plugins).in_use():
        new = not (folder / "ledger.jsonl").exists()  # a run that goes on may have no job left
        for line in protocol_cost(config).lines if new and config.protocol else ():
            notice(line)
        named = resolve(config)
        if new:
            if waiting is not None:
                waiting.start(workers_of(config, named))
            notice(outlook(config, named, workers_of(config, named)).text)
        context = prepare(config, notice, backbone, named)
        usable_folder(folder, f"--out {config.out}")
        usable_folder(config.store_folder, f"--store {config.store_folder}")
        with sole_writer(folder / "ledger.jsonl"):
            check_settings(config)
            ledger = open_ledger(folder / "ledger.jsonl")
            if ledger.torn:
                notice(f"the last line of the ledger is unfinished (a crash): {ledger.torn} bytes ignored")
            events = read_events(ledger)
            check_same_inputs(events, context, notice)
            for unfinished in (*folder.glob(".*.part"), *folder.glob("*/.*.part")):  # written before a crash
                unfinished.unlink(missing_ok=True)
            with _sigterm_as_interrupt():
                return _run(context, config_text(context.config, origins, events), ledger, events, handle, waiting)


def _run(
    context: RunContext,
    settings: str,
    ledger: Ledger,
    events: list[Event],
    handle: Handle,
    waiting: Workers | None,
) -> ResultsDocument:
    """Does what is not done yet.

    Args:
        settings: Content of config.toml.
        events: Events of the ledger so far.
    """
    config, learners = context.config, context.learners
    jobs = plan_jobs(context.stream, learners, config.evaluate, config.seed)
    state = ActiveRun(
        context=context, facts=context.facts(), ledger=ledger, handle=handle, jobs={job.id: job for job in jobs}
    )
    earlier = latest_events(events)
    keys = {job.id: context.inputs.key(job) for job in jobs}
    finished = finished_events(earlier, jobs, lambda job: keys[job.id], counts_in(Store(config.store_folder)))
    lost = [keys[job.id] for job in jobs if job.id not in finished and keys[job.id] in earlier]
    if gone := sum(isinstance(earlier[key], FitEvent) for key in lost):
        text = f"{gone} finished fits are not in the store {config.store_folder}, or damaged: they are done again"
        handle({"event": "notice", "message": text})
    show_run(state, str(config.out_folder), len(finished))
    for job in jobs:
        if job.id in finished:
            add_event(state, job, finished[job.id])
            show(state, job)
    todo = tuple(job for job in jobs if job.id not in finished)
    header = header_of(context, state.facts, settings, lost)
    entry = as_entry(header)
    register(config.store_folder, config.out_folder, ledger.events[0] if ledger.events else entry)
    if todo or must_write_header(header, events):
        ledger.append(entry)
    write_atomic(config.out_folder / "config.toml", settings)  # after its hash, so after a crash the older one is valid
    try:
        _work(state, todo, waiting)
    except JobFailed as failure:
        _write(state)
        ledger.append(as_entry(JobFailedEvent(job=failure.job, type=failure.type, message=failure.message)))
        raise RunFailed(_failure_text(state, failure)) from failure
    except KeyboardInterrupt:
        _write(state)
        raise
    remember_pace(context, [state.events[job.id] for job in todo])
    seconds = time.perf_counter() - state.started
    if todo or ledger.events[-1]["event"] != End.kind:
        ledger.append(as_entry(End(seconds=seconds)))
    document = _write(state)
    handle({"event": "end", "seconds": seconds, "out": str(config.out_folder)})
    return document


def _work(state: ActiveRun, todo: tuple[Job, ...], waiting: Workers | None) -> None:
    """Does the remaining jobs, in this process or in workers, and records each result when it comes."""
    if not todo:
        return
    context, count = state.context, workers_of(state.context.config, state.context)
    available = {job: needed(event) for job, event in state.events.items()}
    if count == 1:
        if waiting is not None:
            waiting.take(0)  # this process does the jobs, so the waiting workers end unless later runs reuse them

        def done_here(job: JobId, result: JobResult) -> JobResult:
            available[job] = needed(result)
            return result

        with _process_restored():
            handler = MessageHandler(state, done_here)
            run_here(todo, available, open_workbench(context.setup(), context.backbone), handler, handler)
        return
    sent = {job: plain(part) for job, part in available.items()}

    def done_there(job: JobId, value: Mapping[str, JsonValue]) -> JobResult:
        result = read_result(value)
        sent[job] = plain(needed(result))
        return result

    log = context.config.out_folder.absolute() / "workers.log"
    handler = MessageHandler(state, done_there)
    run_in_workers(todo, sent, plain(context.setup()), count, log, handler, waiting, handler)


@dataclass(eq=False)
class MessageHandler:
    """Handles the messages of running jobs: records results, writes the documents, shows progress.

    It also decides about jobs that did not end well (`stream.execution.pending.Recovery`).

    Attributes:
        state: The state of the run.
        result_of: Returns the result of a job, given its id and the `result` of its message.
        written: Number of arrivals when the documents were written last. Default: 0.
    """

    state: ActiveRun
    result_of: Callable[[JobId, Any], JobResult]
    written: int = 0

    def __call__(self, message: Message) -> None:
        state = self.state
        if message["kind"] == "notice":
            state.handle({"event": "notice", "message": message["text"]})
            return
        job = state.jobs[message["job"]]
        if message["kind"] == "start":
            state.handle({
                "event": "start", "job": job.id, "learner": job.learner, "task": job.tasks[-1], "kind": job.kind,
                "arrival": job.arrival, "tasks": len(job.tasks), "worker": message["worker"],
            })  # fmt: skip
        elif message["kind"] == "progress":
            about = {"job": job.id, "worker": message["worker"], **message["report"]}
            event = {**about, "event": "progress", "learner": job.learner, "task": job.tasks[-1]}
            state.handle(cast(JobProgress, event))
        else:
            record(state, job, self.result_of(job.id, message["result"]))
            short = len(state.facts.order) <= SHORT
            if arrival_done(state, job) and (short or job.arrival >= LONGER * self.written):
                _write(state)
                self.written = job.arrival
            show(state, job)

    def fit_of(self, learner: str, delta: str) -> Job | None:
        fits = ((job, fit) for job, fit in self.state.events.items() if isinstance(fit, FitEvent))
        return next((self.state.jobs[job] for job, fit in fits if (fit.learner, fit.delta) == (learner, delta)), None)

    def failed_fit(self, job: Job, why: str) -> Any | None:
        if job.kind == "search":
            return plain(trial_without_worker(self.state, job, why))
        return plain(fit_without_worker(self.state, job, why)) if job.kind == "fit" else None


def workers_of(config: RunConfig, named: Resolved) -> int:
    """Returns the number of processes of a run: the setting, or the usual number; but no more than fits that can run at
    the same time. All fits of an isolated learner can; of a learner whose fits need the previous fit, only one can.

    The usual number is one on a graphics card, and for packs.
    """
    if config.pack != 1 or (config.workers is None and device_named(config.device) != CPU):
        return 1
    tasks = len(named.stream.order)
    most = sum(
        1 if learner.needs_previous_fit else tasks * trials_of(learner.selection) for learner in named.learners.values()
    )
    return min(config.workers or usual_workers(), most)


@contextmanager
def _process_restored() -> Iterator[None]:
    """Restores, after a `with` block, PyTorch's switches, its number of threads, and the objects that the garbage
    collector visits.

    The jobs run in the caller's process, which must not change.
    """
    import torch

    before, switched = torch.get_num_threads(), switches()
    frozen = gc.get_freeze_count()
    if not frozen:
        gc.freeze()  # each fit starts a collection, which would take a third of a second if it visited the libraries
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()
        torch.set_num_threads(before)
        take_switches(switched)


def _write(state: ActiveRun) -> ResultsDocument:
    """Writes results.json and each R.csv from the events so far, and returns the results."""
    folder, ledger = state.context.config.out_folder, state.ledger
    document = results(state.facts, state.events)
    document["ledger"] = {"lines": ledger.lines, "hash": ledger.last}
    for name in state.context.learners:
        text = to_csv(matrix_of(state.facts.order, name, state.events))
        _write_if_changed(renamed_folder(folder, name) / "R.csv", text)
    _write_if_changed(folder / "results.json", readable_json(document) + "\n")
    return document


def _write_if_changed(path: Path, text: str) -> None:
    """Writes a file. A finished run that is called again writes nothing, as each write waits for the disk."""
    if not path.is_file() or path.read_bytes() != text.encode():
        write_atomic(path, text)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns an error of the file system in a `with` block into `RunFailed` with a one-line message.

    Raises:
        RunFailed: The disk is full, or a file cannot be written or read.
    """
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        text = f"cannot write: {what}; free disk space" if full else f"{what}; correct this"
        raise RunFailed(f"{text}, then run the command again") from error


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Treats SIGTERM, with which systems end a process, like Ctrl-C for a `with` block: the results so far are
    written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failure_text(state: ActiveRun, failure: JobFailed) -> str:
    job = state.jobs.get(JobId(failure.job))
    where = failure.job if job is None else f"learner {job.learner}, task {job.tasks[-1]}, arrival {job.arrival}"
    return f"{failure.type}: {where}: {failure.message}"
