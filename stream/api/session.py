"""One run from its settings to its results, with workers, live view and loggers. The command and `run` both use it."""

from __future__ import annotations

import logging
from contextlib import nullcontext

from stream.api.arguments import Call
from stream.api.metrics import add_metrics
from stream.api.tables import with_tables
from stream.engine.progress import Handle, ProgressEvent
from stream.errors import errors_pass
from stream.execution.workers import waiting_workers
from stream.report import make_console, open_view, print_report
from stream.results.results import Results
from stream.storage.files import sole_writer, usable_folder
from tasks.home import settle_home

logger = logging.getLogger("taskstream")
logger.addHandler(logging.NullHandler())  # the caller's program decides what happens with messages


def perform(call: Call) -> Results:
    """Run or continue a stream, and show it as `call.display` says, with a report at the end.

    Raises:
        InputError, RunFailed, KeyboardInterrupt: As in `stream.engine.engine.run_stream`.
    """
    settle_home()  # before libraries are imported, here and in workers
    if call.tables is None:
        return _perform(call)
    folder = usable_folder(call.config.out_folder, f"--out {call.config.out}")
    with sole_writer(folder / "ledger.jsonl"):  # no other run may begin between the tables and the first event
        return _perform(with_tables(call))


def _perform(call: Call) -> Results:
    from stream.loggers.log import logged  # imports NumPy, so the command starts faster without it

    console = make_console(call.display)
    config = call.config
    workers = waiting_workers(config.workers, start=False) if call.workers is None else nullcontext(call.workers)
    with (
        workers as waiting,
        open_view(call.display, console) as view,
        logged(config.log, config.out_folder, _all(view.handle, _to_logger, call.handle)) as handle,
    ):
        from stream.engine.engine import run_stream  # imports NumPy

        with errors_pass(handle) as told:
            document = run_stream(config, call.origins, told, waiting, call.backbone)
    results = Results.from_dict(add_metrics(document, call.metrics))
    if call.display in ("rich", "plain"):
        print_report(results, console)
    return results


def _all(*handles: Handle | None) -> Handle:
    def handle(event: ProgressEvent) -> None:
        for each in handles:
            if each is not None:
                each(event)

    return handle


def _to_logger(event: ProgressEvent) -> None:
    if event["event"] == "notice":
        logger.info(event["message"])
