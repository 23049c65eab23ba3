"""The log of a run in one tool. It tells what the ledger tells, may be begun late, and never ends the run.

A tool sees a run as one run of its own for each learner. Which jobs a log holds stands beside it, in `logged.jsonl`: a
run that goes on is told of all it has done so far, and what the log has is not written twice. A log that was begun
later, or fell behind in a crash, catches up; a job that was done anew is written anew if it gave something else.
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
from stream.loggers.figures import Figures, Reading, Told
from tasks.content import content_id
from tasks.errors import InputError, InputErrors, unknown_name

LOGGERS = ("tensorboard", "wandb", "mlflow")


@dataclass(frozen=True)
class About:
    """What a writer is opened for.

    Attributes:
        log: An id of this log, no other has it.
        run: Folder of the run, as it was given.
        settings: Hyperparameters, plain values.
    """

    log: str
    run: str
    learner: str
    settings: Mapping[str, bool | int | float | str]


class Writer(Protocol):
    """Writes one learner's readings. The file of a tool has `open_writer(folder: Path, about: About) -> Writer`; opened
    again in the same folder for the same log and learner, it goes on."""

    def write(self, readings: Sequence[Reading]) -> None:
        """See them to the disk."""

    def close(self, summary: Mapping[str, float] | None) -> None:
        """The end of this call: the last figures if the run has come to its end, else None."""


class Log:
    """Takes the events of a run, in `folder`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.record = name, folder, folder / "logged.jsonl"
        self.figures: dict[str, Figures] = {}
        self.writers: dict[str, Writer] = {}
        self.held: set[str] = set()
        self.run: RunBegins | None = None
        self.id = ""
        self.ended = False

    def handle(self, event: ProgressEvent) -> None:
        if event["event"] == "run":
            self.begin(event)
        elif event["event"] == "fit" or event["event"] == "before" or event["event"] == "row":
            for job, readings in self.figures[event["learner"]].take(event):
                self.keep(job, readings)
        elif event["event"] == "end":
            self.ended = True

    def begin(self, event: RunBegins) -> None:
        self.run, self.figures = event, {name: Figures(event["order"]) for name in event["learners"]}
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.record.read_text(encoding="utf-8") if self.record.exists() else ""
        first, *held = written.split("\n")
        self.id, self.held = (json.loads(first)["log"] if held else uuid4().hex), set(held)
        with self.record.open("a", encoding="utf-8") as file:
            if not held:
                file.truncate(0)
                file.write(json.dumps({"log": self.id}) + "\n")
            elif held[-1]:
                file.write("\n")  # a crash: what follows must not be glued to half a line

    def keep(self, job: Told, readings: Sequence[Reading]) -> None:
        """Write a job's readings, unless the log has them."""
        line, name = json.dumps([job["job"], job["task"], outcome(job)]), job["learner"]
        if line in self.held:
            return
        if name not in self.writers:
            self.writers[name] = self.writer(name)
        self.writers[name].write(readings)
        with self.record.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def writer(self, learner: str) -> Writer:
        run = self.run
        assert run is not None  # begun before its first job
        settings = {"learner": learner, "backbone": run["backbone"]["name"], "suite": run["suite"],
                    "tasks": len(run["order"]), "seed": run["seed"], **run["settings"]}  # fmt: skip
        about = About(self.id, run["out"], learner, {k: v for k, v in settings.items() if v is not None})
        opened: Writer = importlib.import_module(f"stream.loggers.{self.name}").open_writer(self.folder, about)
        return opened

    def close(self) -> None:
        """Close what was opened; a log to which this call added nothing stays as it is."""
        with ExitStack() as all_the_same:  # whether or not one of them fails
            while self.writers:
                name, writer = self.writers.popitem()
                all_the_same.callback(writer.close, self.figures[name].last if self.ended else None)


def outcome(job: Told) -> str:
    """What a job gave: a Delta, or nothing, or the logits of its cells."""
    if job["event"] == "fit":
        return "None" if "failed" in job else job["delta"]
    return content_id("logged", *(cell["logits"] for cell in job["cells"]))


@contextmanager
def logged(names: str | None, folder: Path, handle: Handle) -> Iterator[Handle]:
    """A handle for the events of a run in `folder`: passes them on to `handle`, and to the logs.

    A log that fails is told of once and left alone.

    Args:
        names: Of loggers, comma separated.

    Raises:
        InputErrors: An unknown name, or a library that is not installed.
    """
    logs = {name: Log(name, folder / name) for name in loggers(names or "")}

    def attempt(name: str, action: Callable[[], None]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a tool to its own makers
                action()
        except Exception as error:  # whatever a tool may raise: the run matters more
            found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            with suppress(Exception):
                logs.pop(name).close()
            handle({"event": "notice", "message": f"no more is logged to {name}, the run goes on; {found}"})

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
    """The loggers of `--log`.

    Raises:
        InputErrors: An unknown name, or a library that is not installed; all at once.
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
