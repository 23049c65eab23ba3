"""Streams of tasks, the learners that meet them, and the account of what they keep and cost.

from stream import run
results = run(suite="cola,rte", source="folder:data", backbone="minilm", learners="head,adapter:64", out="runs/a")
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.engine.progress import Handle, ProgressEvent
    from stream.execution.workers import Workers
    from stream.results.schema import ResultsDocument

__all__ = ["kept_workers", "run"]


def run(
    *,
    config: str | Path | None = None,
    display: str = "none",
    handle: Handle = lambda event: None,
    **settings: Any,
) -> ResultsDocument:
    """Run or continue a stream; the same as `taskstream run`.

    Args:
        config: A TOML file of settings; those given here win.
        display: rich or plain shows the run as it goes and its report at the end; none shows nothing.
        handle: Called with every event of the run, a plain dict.
        **settings: The options of the command with underscores: suite, source, backbone, learners, order, seed,
            epochs, batch_size, learning_rate, max_length, train_examples, test_examples, evaluate, dtype, workers,
            columns, out, store, log. Lists of learners, tasks or loggers may be given as lists, and as workers those
            of `kept_workers`.

    Returns:
        The document of OUT/results.json. A fit that diverged does not end the run: it is among its learner's
        `failures`, and its cells are empty.

    Raises:
        tasks.errors.InputError, tasks.errors.InputErrors: Bad settings or data.
        stream.errors.RunFailed: A job failed; giving the same call again continues.
    """
    from stream.config import resolve_config
    from stream.execution.workers import Workers, waiting_workers
    from stream.loggers.log import logged
    from stream.report import make_console, open_view, print_report

    kept = given if isinstance(given := settings.get("workers"), Workers) else None
    if kept is not None:
        settings["workers"] = kept.count
    joined = {key: ",".join(value) if isinstance(value, list | tuple) else value for key, value in settings.items()}
    plain = {key: str(value) if isinstance(value, Path) else value for key, value in joined.items()}
    resolved, origins = resolve_config(plain, Path(config) if config else None, origin="call")
    console = make_console(display)
    workers = waiting_workers(resolved.workers) if kept is None else nullcontext(kept)
    with workers as waiting, open_view(display, console) as view:

        def both(event: ProgressEvent) -> None:
            view.handle(event)
            handle(event)

        with logged(resolved.log, resolved.out_folder, both) as told:
            from stream.engine.engine import run_stream  # seconds, which the workers take too

            results = run_stream(resolved, origins, told, waiting)
    if display in ("rich", "plain"):
        print_report(results, console)
    return results


def kept_workers(count: int | None = None) -> AbstractContextManager[Workers]:
    """Workers for several runs, one after another: libraries and an equal backbone are loaded once.

    with kept_workers() as workers:
        for n in range(10):
            run(order=f"seed:{n}", out=f"runs/order{n}", store="runs/store", workers=workers, ...)

    Args:
        count: How many; one for each core if not given. One is the calling process itself.
    """
    from stream.execution.workers import waiting_workers

    return waiting_workers(count, kept=True)
