"""One run from its settings to its results, with workers, live view and loggers. The command and `run` both use it."""

from __future__ import annotations

import logging
from contextlib import nullcontext

from stream.api.arguments import Call
from stream.api.metrics import add_metrics
from stream.api.tables import with_tables
from stream.config.settings import RunConfig
from stream.engine.progress import Handle, ProgressEvent
from stream.errors import errors_pass
from stream.execution.workers import waiting_workers
from stream.report import View, make_console, open_view, print_report
from stream.results.results import Results
from stream.storage.files import sole_writer, usable_folder
from stream.study.members import FILE
from tasks.errors import InputError
from tasks.home import settle_home

logger = logging.getLogger("taskstream")
logger.addHandler(logging.NullHandler())  # the caller's program decides what happens with messages


def perform_run(call: Call) -> Results:
    """Run or continue a stream, and show it as `call.display` says, with a report at the end.

    Raises:
        InputError, RunFailed, KeyboardInterrupt: As in `stream.engine.engine.run_stream`.
    """
    settle_home()  # before libraries are imported, here and in workers
    check_no_study(call.config)
    if call.tables is None:
        return _perform(call)
    folder = usable_folder(call.config.out_folder, f"--out {call.config.out}")
    with sole_writer(folder / "ledger.jsonl"):  # no other run may begin between the tables and the first event
        return _perform(with_tables(call))


def check_no_study(config: RunConfig) -> None:
    """Check that the folder of a run holds no study.

    Raises:
        InputError: It does.
    """
    if (config.out_folder / FILE).exists():
        raise InputError(
            "this folder holds a study of several seeds or orders", where=f"--out {config.out}",
            fix="give all of its seeds and orders (taskstream config shows them), or another --out",
        )  # fmt: skip


def _perform(call: Call) -> Results:
    console = make_console(call.display)
    results = run_call(call, open_view(call.display, console))
    if call.display in ("rich", "plain"):
        print_report(results, console)
    return results


def run_call(call: Call, view: View) -> Results:
    """Run or continue a stream in `view`, without the report at the end.

    Raises:
        InputError, RunFailed, KeyboardInterrupt: As in `stream.engine.engine.run_stream`.
    """
    from stream.loggers.log import logged  # imports NumPy, so the command starts faster without it

    config = call.config
    workers = waiting_workers(config.workers, start=False) if call.workers is None else nullcontext(call.workers)
    with (
        workers as waiting,
        view,
        logged(config.log, config.out_folder, _all(view.handle, _to_logger, call.handle)) as handle,
    ):
        from stream.engine.engine import run_stream  # imports NumPy

        with errors_pass(handle) as told:
            document = run_stream(config, call.origins, told, waiting, call.backbone)
    return Results.from_dict(add_metrics(document, call.metrics))


def _all(*handles: Handle | None) -> Handle:
    def handle(event: ProgressEvent) -> None:
        for each in handles:
            if each is not None:
                each(event)

    return handle


def _to_logger(event: ProgressEvent) -> None:
    if event["event"] == "notice":
        logger.info(event["message"])
