"""The parts of the comparison: each measures something on the old and the new revision, in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmark.clock import Spent
from benchmark.process import Answer, Contender, ContenderFailed, Processes
from benchmark.revisions.commands import timed, worker_ready
from benchmark.revisions.pairs import Pair, of_rates, of_seconds
from benchmark.revisions.sizes import Sizes
from learners.specification.family import parse_learner
from learners.specification.learner import LOOP
from stream.execution.workers import MEMORY
from tasks.home import VARIABLE


@dataclass(frozen=True)
class Side:
    """One of the two revisions.

    Attributes:
        name: `old` or `new`.
        tree: Folder of its packages.
        folder: Folder of its caches and runs.
    """

    name: str
    tree: Path
    folder: Path

    @property
    def cache(self) -> Path:
        """Its cache, which stays. A cold start has another one."""
        return self.folder / "cache"

    def contender(self, function: str) -> Contender:
        """A function of `calls` in a process with its packages and the environment of a worker."""
        own = {**MEMORY, VARIABLE: str(self.cache)}
        return Contender(self.name, self.name, f"benchmark.revisions.calls:{function}", {}, own, self.tree)


@dataclass(eq=False)
class Work:
    """A comparison while it runs."""

    backbone: str
    source: str
    dtype: str
    learners: Sequence[str]
    sizes: Sizes
    out: Path
    old: Side
    new: Side
    processes: Processes
    console: Console

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.old, self.new

    def tell(self, text: str) -> None:
        self.console.print(text, style="dim", markup=False)

    def in_turn(self, count: int, what: str, action: Callable[[Side], Spent]) -> tuple[list[Spent], list[Spent]]:
        """Times of an action on both sides, old new old new ..."""
        found: dict[str, list[Spent]] = {side.name: [] for side in self.sides}
        for number in range(count):
            self.tell(f"{what}, {number + 1} of {count}")
            for side in self.sides:
                found[side.name].append(action(side))
        return found["old"], found["new"]

    def ask(self, function: str, learner: str) -> tuple[list[Answer], list[Answer]]:
        """Answers of a function of `calls` on both sides, in turn, after a call of each that is dropped.

        Raises:
            ContenderFailed: A side failed, or they have different rows.
        """
        sizes = self.sizes
        settings = {
            "backbone": self.backbone, "dtype": self.dtype, "source": self.source, "task": sizes.task,
            "learner": learner, "steps": sizes.steps, "epochs": sizes.epochs, "batch_size": sizes.batch_size,
            "max_length": sizes.max_length, "test": sizes.rows, "passes": sizes.passes,
        }  # fmt: skip
        who = [side.contender(function) for side in self.sides]
        found = self.processes.alternate(who, settings, sizes.repetitions, {"epochs": 1, "passes": 1})
        if len({answer["rows"] for answers in found.values() for answer in answers}) > 1:
            raise ContenderFailed(f"{function}: the revisions read different rows of {sizes.task}")
        return found["old"], found["new"]

    def command(self, settings: Mapping[str, Any], side: Side, out: Path, cache: Path) -> Spent:
        """The time of `taskstream run` with these settings."""
        given = {"source": self.source, "backbone": self.backbone, "dtype": self.dtype, "display": "none", "out": out}
        options = [(f"--{name.replace('_', '-')}", str(value)) for name, value in {**given, **settings}.items()]
        arguments = ["run", *(part for option in options for part in option)]
        return timed(arguments, side.tree, cache, self.out / f"{side.name}-commands.log")

    def cold(self, settings: Mapping[str, Any], side: Side) -> Spent:
        """The same with a new folder and empty caches, which are removed afterwards."""
        folder = side.folder / "cold"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        spent = self.command(settings, side, folder / "run", folder / "cache")
        shutil.rmtree(folder)
        return spent


Part = Callable[[Work], Iterator[Pair]]


def spent(answers: Sequence[Answer]) -> list[Spent]:
    return [Spent(answer["seconds"], answer["cpu"]) for answer in answers]


def megabytes(answers: Sequence[Answer]) -> tuple[float, ...]:
    return tuple(answer["peak"] / 1e6 for answer in answers)


def step(work: Work) -> Iterator[Pair]:
    """The time of a training step of each learner, and the peak memory of the process during the fit."""
    memory = []
    for learner in work.learners:
        work.tell(f"step: {learner}")
        old, new = work.ask("step", learner)
        yield of_seconds("step", learner, spent(old), spent(new), "ms")
        memory.append(Pair("peak memory", learner, "MB", megabytes(old), megabytes(new)))
    yield from memory


def evaluation(work: Work) -> Iterator[Pair]:
    """Rows per second of `predict`. A learner of another library's trainer has the Delta of `full`, so it is left
    out."""
    for learner in (name for name in work.learners if parse_learner(name).trainer == LOOP):
        work.tell(f"evaluation: {learner}")
        old, new = work.ask("evaluation", learner)
        yield of_rates("evaluation", learner, spent(old), spent(new), old[0]["count"])


def demo(work: Work) -> Iterator[Pair]:
    """The whole run of `scripts/demo`, with nothing cached, with its default of one worker per core."""
    yield of_seconds(
        "demo", work.sizes.demo["suite"],
        *work.in_turn(work.sizes.demos, "demo", lambda side: work.cold(work.sizes.demo, side)),
    )  # fmt: skip


def start(work: Work) -> Iterator[Pair]:
    """Help; a whole run of one learner and one step with nothing cached; a worker from its start until it is ready.

    A first call of each compiles the modules of the checkout, and is dropped.
    """
    sizes = work.sizes
    one = {"suite": sizes.task, "learners": "layernorm", "epochs": 1, "batch_size": sizes.batch_size,
           "train_examples": sizes.batch_size, "test_examples": sizes.batch_size, "max_length": sizes.max_length,
           "workers": 1}  # fmt: skip
    run = {"suite": sizes.task, "learners": "layernorm", "max_length": sizes.max_length, "source": work.source,
           "backbone": work.backbone, "dtype": work.dtype}  # fmt: skip
    setups = {
        side.name: work.processes.ask(side.contender("setup"), {**run, "out": str(side.folder / "setup")})["setup"]
        for side in work.sides
    }

    def helped(side: Side) -> Spent:
        return timed(["--help"], side.tree, side.cache, work.out / f"{side.name}-commands.log")

    def ready(side: Side) -> Spent:
        return worker_ready(setups[side.name], side.tree, side.cache, work.out / f"{side.name}-commands.log")

    cases: dict[str, Callable[[Side], Spent]] = {
        "--help": helped,
        "first fit, cold": lambda side: work.cold(one, side),
        "worker until ready": ready,
    }
    for case, action in cases.items():
        old, new = work.in_turn(sizes.starts + 1, f"start: {case}", action)
        yield of_seconds("start", case, old[1:], new[1:])


def again(work: Work) -> Iterator[Pair]:
    """The call of a finished run."""

    def call(side: Side) -> Spent:
        return work.command(work.sizes.finished, side, side.folder / "finished", side.cache)

    old, new = work.in_turn(work.sizes.starts + 1, "again", call)  # the first call does the run
    yield of_seconds("again", "a finished run", old[1:], new[1:])
