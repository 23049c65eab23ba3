"""The names of a run: its source, suite and stream. Nothing here imports torch, so a wrong name is reported at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from stream.config.settings import RunConfig
from stream.engine.attempts import Attempts
from stream.engine.stream import Stream, make_stream
from tasks.errors import InputError
from tasks.sources import Source, absent, closed, drawer, open_source, skipped, without_effect, without_twin
from tasks.suite import resolve_suite


@dataclass(frozen=True, eq=False)
class Names:
    """What the settings name.

    Attributes:
        suite: Name of the suite.
        source: Source of the examples.
        stream: The tasks in order of arrival.
        notes: What the source holds that is no task, if the suite is all of it; which tasks the order leaves out.
    """

    suite: str
    source: Source
    stream: Stream
    notes: tuple[str, ...]


def resolve_names(config: RunConfig) -> Names:
    """Resolve the source, the tasks and their order. No data is read.

    Raises:
        InputErrors: All unknown names, and all parts of the settings about the source that no task uses. A run that has
            begun may have such parts, because earlier versions accepted them.
    """
    source = open_source(config.source, config.columns)
    available = source.names()
    suite, names = resolve_suite(config.suite, available, drawer(source), closed(source), partial(absent, source))
    attempt = Attempts()
    stream = attempt(partial(make_stream, names, config.order))
    left = () if stream is None else tuple(name for name in names if name not in stream.order)
    names = tuple(name for name in names if name not in left)
    if missing := without_twin(source, names):
        attempt.errors.append(
            InputError(
                f"no simulated twin of {', '.join(missing)}",
                where=f"source {source.name}",
                expected="tasks of houlsby26, or simulated:N",
                fix="give --source folder:DIR, with a folder per task, or --source hub",
            )
        )
    for name in names:
        if name not in {*available, *missing}:
            attempt(partial(source.task, name))
    if not (config.out_folder / "ledger.jsonl").exists():
        attempt.errors += without_effect(source, config.columns, names)
    attempt.check()
    assert stream is not None
    notes = (f"order {config.order} of {suite} leaves out {', '.join(left)}",) if left else ()
    return Names(suite, source, stream, notes + (skipped(source) if suite == "all" else ()))
