"""A worker process: reads a setup and jobs as JSON lines, and writes progress and results as JSON lines.

    python -m stream.execution.worker

It pickles nothing and does not import the caller's `__main__`, so scripts and notebooks can start workers too.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import sys
import threading
import traceback
from typing import TYPE_CHECKING, TextIO

from stream.execution.messages import Order, WorkerMessage

if TYPE_CHECKING:
    from stream.execution.workbench import Setup, Workbench


def main() -> None:
    """Does the jobs of one run after another until standard input ends. It then ends at once, because the process of
    the run is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    orders: queue.Queue[Order] = queue.Queue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()

    from stream.execution.job import EntryLost, execute
    from stream.execution.result import read_needed
    from stream.execution.workbench import Setup
    from stream.storage.job import Job, JobId, read_job
    from stream.storage.plain import plain

    workbench: Workbench | None = None
    while True:
        order = orders.get()
        if "setup" in order:
            with open(order["log"], "ab", buffering=0) as log:  # all output from here on goes to the run's log
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            try:
                workbench = _next_workbench(Setup(**order["setup"]), workbench)
            except Exception as error:
                traceback.print_exc()
                _send(answers, _failed("starting a worker", error))
                return
            _send(answers, {"kind": "ready"})
            continue
        assert workbench is not None
        job = read_job(order["job"])

        def report(values: dict[str, object], job: Job = job) -> None:
            _send(answers, {"kind": "progress", "job": job.id, "report": values})

        try:
            results = {JobId(need): read_needed(value) for need, value in order["results"].items()}
            result = execute(workbench, job, results, report)
        except EntryLost as loss:
            _send(answers, {"kind": "lost", "job": job.id, "delta": loss.delta, "message": str(loss)})
        except Exception as error:  # the worker only reports a failure; the run decides what to do
            traceback.print_exc()
            _send(answers, _failed(job.id, error))
        else:
            _send(answers, {"kind": "done", "job": job.id, "result": plain(result)})


def _next_workbench(setup: Setup, before: Workbench | None) -> Workbench:
    """Returns the workbench of a run. It takes over the loaded backbone of the previous run if the content is the same;
    every job has checked that the backbone did not change.

    Args:
        before: The workbench of the previous run; None if there is none.

    Raises:
        InputError: As for `stream.execution.workbench.open_workbench`.
    """
    from stream.execution.switches import take_switches
    from stream.execution.workbench import open_workbench
    from stream.plugins.load import reload_plugins

    backbone = None
    if before is not None:
        if (before.backbone.id, before.setup.dtype) == (setup.backbone_id, setup.dtype):
            backbone = before.backbone
        # A state may refer to its workbench, and `gc.freeze` below made that workbench exempt from collection.
        before.trainer_states.clear()
        before.activation_cache.states.clear()
        before.opened.clear()
    gc.collect()
    settings = setup.numerics.get("settings")
    take_switches(settings if isinstance(settings, dict) else {})
    with reload_plugins(setup.plugins).in_use():
        workbench = open_workbench(setup, backbone)
    gc.freeze()  # each fit starts a collection, which would take a third of a second if it visited all these objects
    return workbench


def _read(orders: queue.Queue[Order]) -> None:
    try:
        for line in sys.stdin:
            orders.put(json.loads(line))
    finally:
        os._exit(0)  # the running fit is lost; finished ones are in the store


def _failed(job: str, error: Exception) -> WorkerMessage:
    return {"kind": "failed", "job": job, "type": type(error).__name__, "message": str(error)}


def _send(stream: TextIO, message: WorkerMessage) -> None:
    stream.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
