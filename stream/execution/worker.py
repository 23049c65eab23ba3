"""A worker process: reads a setup and jobs as JSON lines, writes progress and results as JSON lines.

    python -m stream.execution.worker

Nothing is pickled and no `__main__` is imported again, so a run may start workers from a script or a notebook alike.
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
    """Serve the jobs of one run after another until standard input ends; end at once when it does: the run is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    orders: queue.Queue[Order] = queue.Queue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    from transformers import AutoTokenizer, PreTrainedModel  # noqa: F401 - seconds, before the setup is known

    from stream.execution.job import execute
    from stream.execution.result import read_needed
    from stream.execution.workbench import Setup
    from stream.storage.job import Job, JobId, read_job
    from stream.storage.plain import plain

    bench: Workbench | None = None
    while True:
        order = orders.get()
        if "setup" in order:
            with open(order["log"], "ab", buffering=0) as log:  # what is printed from now on survives the run
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            try:
                bench = _workbench_of(Setup(**order["setup"]), bench)
            except Exception as error:
                traceback.print_exc()
                _send(answers, _failed("starting a worker", error))
                return
            _send(answers, {"kind": "ready"})
            continue
        assert bench is not None
        job = read_job(order["job"])

        def report(told: dict[str, object], job: Job = job) -> None:
            _send(answers, {"kind": "progress", "job": job.id, "report": told})

        try:
            given = {JobId(need): read_needed(value) for need, value in order["results"].items()}
            result = execute(bench, job, given, report)
        except Exception as error:  # the run decides what a failure means; a worker only says which
            traceback.print_exc()
            _send(answers, _failed(job.id, error))
        else:
            _send(answers, {"kind": "done", "job": job.id, "result": plain(result)})


def _workbench_of(setup: Setup, before: Workbench | None) -> Workbench:
    """The bench of a run; a backbone with the content of that of the run before, unchanged as every job has seen, is
    not loaded again.

    Raises:
        InputError: As `stream.execution.workbench.open_workbench`.
    """
    from stream.execution.workbench import open_workbench
    from stream.plugins.load import reload_plugins

    backbone = None
    if before is not None:
        if (before.backbone.id, before.setup.dtype) == (setup.backbone_id, setup.dtype):
            backbone = before.backbone
        before.trainer_states.clear()  # each may lead back to its bench, and what is frozen is never collected
        before.kept.states.clear()
        before.opened.clear()
    gc.collect()
    with reload_plugins(setup.plugins).in_use():
        bench = open_workbench(setup, backbone)
    gc.freeze()  # every fit begins with a collection: a third of a second if it goes through all this again
    return bench


def _read(orders: queue.Queue[Order]) -> None:
    try:
        for line in sys.stdin:
            orders.put(json.loads(line))
    finally:
        os._exit(0)  # a fit under way is lost, a finished one is in the store


def _failed(job: str, error: Exception) -> WorkerMessage:
    return {"kind": "failed", "job": job, "type": type(error).__name__, "message": str(error)}


def _send(stream: TextIO, message: WorkerMessage) -> None:
    stream.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
