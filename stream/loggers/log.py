"""The log of a run for one tool. A log has the content of the ledger, can start late, and never stops the run.

In the tool, each learner is a run of its own. The file `logged.jsonl` beside a log lists the jobs in the log. When a
run continues, the log receives all finished jobs again and writes only new ones. So a log that starts late, or misses
jobs after a crash, catches up. A repeated job is written again only if its result changed.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from stream.engine.progress import Handle, ProgressEvent, RunBegins
from stream.loggers.readings import JobResult, LearnerReadings, Reading
from tasks.content import content_id
from tasks.errors import InputError, InputErrors, unknown_name

LOGGERS = ("tensorboard", "wandb", "mlflow")


@dataclass(frozen=True)
class About:
    """What a writer writes about.

    Attributes:
        log: Unique id of this log.
        run: Folder of the run, as in the command.
        learner: Name of the learner.
        settings: Settings and hyperparameters, plain values.
    """

    log: str
    run: str
    learner: str
    settings: Mapping[str, bool | int | float | str]


class Writer(Protocol):
    """Writes the readings of one learner.

    The file of a tool defines `open_writer(folder: Path, about: About) -> Writer`. If the folder already has this log
    and learner, the writer continues it.
    """

    def write(self, readings: Sequence[Reading]) -> None:
        """Writes readings to disk."""

    def close(self, summary: Mapping[str, float] | None) -> None:
        """Closes the writer at the end of a call. `summary` has the last numbers; None if the run is not finished."""


class Log:
    """Takes the events of a run and writes them to a log.

    Args:
        name: Name of the tool.
        folder: Folder of the log.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.record = name, folder, folder / "logged.jsonl"
        self.readings: dict[str, LearnerReadings] = {}
        self.writers: dict[str, Writer] = {}
        self.logged: set[str] = set()  # lines of `record`: the jobs in the log
        self.run: RunBegins | None = None
        self.id = ""
        self.ended = False

    def handle(self, event: ProgressEvent) -> None:
        if event["event"] == "run":
            self.begin(event)
        elif event["event"] == "fit" or event["event"] == "before" or event["event"] == "row":
            for job, readings in self.readings[event["learner"]].take(event):
                self.add(job, readings)
        elif event["event"] == "end":
            self.ended = True

    def begin(self, event: RunBegins) -> None:
        self.run, self.readings = event, {name: LearnerReadings(event["order"]) for name in event["learners"]}
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.record.read_text(encoding="utf-8") if self.record.exists() else ""
        first, *lines = written.split("\n")
        self.id, self.logged = (json.loads(first)["log"] if lines else uuid4().hex), set(lines)
        with self.record.open("a", encoding="utf-8") as file:
            if not lines:
                file.truncate(0)
                file.write(json.dumps({"log": self.id}) + "\n")
            elif lines[-1]:
                file.write("\n")  # after a crash the last line can be incomplete: end it before the next one

    def add(self, job: JobResult, readings: Sequence[Reading]) -> None:
        """Writes the readings of a job, unless the log has them."""
        line, name = json.dumps([job["job"], job["task"], outcome(job)]), job["learner"]
        if line in self.logged:
            return
        if name not in self.writers:
            self.writers[name] = self.writer(name)
        self.writers[name].write(readings)
        with self.record.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def writer(self, learner: str) -> Writer:
        run = self.run
        assert run is not None  # a run begins before its first job
        settings = {"learner": learner, "backbone": run["backbone"]["name"], "suite": run["suite"],
                    "tasks": len(run["order"]), "seed": run["seed"], **run["settings"]}  # fmt: skip
        about = About(self.id, run["out"], learner, {k: v for k, v in settings.items() if v is not None})
        opened: Writer = importlib.import_module(f"stream.loggers.{self.name}").open_writer(self.folder, about)
        return opened

    def close(self) -> None:
        """Closes the open writers. A log to which this call added nothing does not change."""
        with ExitStack() as stack:  # closes all writers even if one of them fails
            while self.writers:
                name, writer = self.writers.popitem()
                stack.callback(writer.close, self.readings[name].last if self.ended else None)


def outcome(job: JobResult) -> str:
    """Returns the result of a job as one id: of its Delta, or of the logits of its cells. "None" for a failed fit."""
    if job["event"] == "fit":
        return "None" if "failed" in job else job["delta"]
    return content_id("logged", *(cell["logits"] for cell in job["cells"]))


@contextmanager
def logged(names: str | None, folder: Path, handle: Handle) -> Iterator[Handle]:
    """Yields a function that takes the events of a run: it passes them to `handle` and to the logs.

    If a log fails, a notice reports it once, and the log gets no more events.

    Args:
        names: Names of loggers, separated by commas; None for no log.
        folder: Folder of the run.
        handle: Takes the events of the run.

    Raises:
        InputErrors: A name is unknown, or its library is not installed.
    """
    logs = {name: Log(name, folder / name) for name in loggers(names or "")}

    def attempt(name: str, action: Callable[[], None]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such warnings are for the developers of the tool
                action()
        except Exception as error:  # a tool may raise anything, but must not stop the run
            found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            with suppress(Exception):
                logs.pop(name).close()
            handle({"event": "notice", "message": f"logging to {name} stopped, the run continues; {found}"})

    def both(event: ProgressEvent) -> None:
        handle(event)
        for name, log in list(logs.items()):
            attempt(name, partial(log.handle, event))

    try:
        yield both
    finally:
        for name, log in list(logs.items()):
            attempt(name, log.close)


def loggers(names: str) -> tuple[str, ...]:
    """Returns the loggers named in `--log`.

    Args:
        names: Names, separated by commas.

    Raises:
        InputErrors: A name is unknown, or its library is not installed. It has all such errors.
    """
    wanted = tuple(dict.fromkeys(filter(None, map(str.strip, names.split(",")))))
    errors = [unknown_name("logger", name, LOGGERS, where="--log") for name in wanted if name not in LOGGERS]
    errors += [
        InputError(f"{name} is not installed", where=f"--log {name}", fix=f"pip install 'taskstream[{name}]'")
        for name in wanted
        if name in LOGGERS and find_spec(name) is None
    ]
    if errors:
        raise InputErrors(errors)
    return wanted
