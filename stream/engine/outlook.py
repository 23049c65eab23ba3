"""What a new run will do and about how long it takes, said before any slow step.

The time is rough (`stream.engine.work`). `stream.engine.preview` counts exactly, but needs the encoded data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from learners.backbones.architecture import Architecture, architecture_from_config
from learners.backbones.locate import pooling_of
from learners.backbones.published import known_architecture
from learners.delta.layout import has_layout
from learners.specification.alternatives import restricted
from learners.specification.learner import Alternative
from stream.config.settings import RunConfig
from stream.engine.context import RunContext, limits_of
from stream.engine.known import machine
from stream.engine.resolve import Resolved
from stream.engine.work import WorkOf, measured_pace, probed_pace, read_pace, write_pace
from stream.execution.cores import cores
from stream.selection.trials import different_fits, fits_to_choose, share_of_fit, trials_at
from stream.storage.events import JobEvent
from tasks.content import canonical, content_id
from tasks.documents import read_object
from tasks.errors import InputError
from tasks.examples import Limits
from tasks.home import facts_folder
from tasks.paths import user_path
from tasks.sources import SimulatedSource
from tasks.sources.simulated.registry import find_twin
from tasks.suite import TASKS


@dataclass(frozen=True)
class Outlook:
    """What a run will do.

    Attributes:
        tasks, learners, fits, cells: Numbers; a cell is one evaluation of a task.
        rows: Training rows of all tasks together; None if only the files tell.
        at_most: Whether there may be fewer rows, because the files are not read yet.
        out: Folder of the run.
        workers: Number of processes.
        seconds: Expected time; None if it cannot be told before the data are read.
        measured: Whether the pace is that of an earlier run on this machine, not a guess.
        flops: FLOPs of all fits and evaluations, by learner; empty if they cannot be told before the data are read.
        to_choose: Number of the fits among which learners choose. Default: 0.
    """

    tasks: int
    learners: int
    fits: int
    cells: int
    rows: int | None
    at_most: bool
    out: str
    workers: int
    seconds: float | None
    measured: bool
    flops: Mapping[str, float] = field(default_factory=dict)
    to_choose: int = 0

    @property
    def text(self) -> str:
        """The outlook in one sentence."""
        most = "at most " if self.at_most else ""
        rows = "" if self.rows is None else f" with {most}{_count(self.rows, 'training row')}"
        fits = _count(self.fits, "fit") + (f" ({self.to_choose:,} to choose)" if self.to_choose else "")
        time = f", {self.time}" if self.time else ""
        return (
            f"{_count(self.tasks, 'task')}{rows}, {_count(self.learners, 'learner')}: {fits}, "
            f"{_count(self.cells, 'evaluation')} on {_count(self.workers, 'process')}{time}; results go to {self.out}"
        )

    @property
    def time(self) -> str:
        """The expected time and what it rests on; "" if it cannot be told."""
        if self.seconds is None:
            return ""
        basis = "at the pace of earlier runs" if self.measured else "a first guess for this machine"
        return f"{'at most ' if self.at_most else ''}about {_about(self.seconds)} ({basis})"


def outlook(config: RunConfig, named: Resolved, workers: int) -> Outlook:
    """Returns what a new run with these settings will do. Reads no data.

    Args:
        workers: Number of processes of the run.
    """
    order, learners = named.stream.order, named.learners
    architecture = architecture_of(config.backbone)
    if architecture is not None:  # as `prepare` does
        fits = partial(_fits_on, architecture)
        learners = {name: restricted(learner, fits) for name, learner in learners.items()}
    last = len(order)
    sizes = {task: _rows(named, task, limits_of(config)) for task in order}
    counts = {name: _evaluations(config, last, learner.keeps_task_weights) for name, learner in learners.items()}
    seconds, measured, flops = None, False, dict[str, float]()
    known = {task: size for task, size in sizes.items() if size is not None}
    if architecture is not None and len(known) == last:
        works = {name: WorkOf(architecture, learner, config.max_length) for name, learner in learners.items()}
        each = {
            name: [
                _fits(work, task, train, at + 1) + work.cells(task, test, counts[name][at])
                for at, (task, (train, test)) in enumerate(known.items())
            ]
            for name, work in works.items()
        }
        flops = {name: sum(parts) for name, parts in each.items()}
        pace = read_pace(pace_file(config, architecture))
        measured = pace is not None
        chain = max((flops[name] for name, x in learners.items() if x.needs_previous_fit), default=0.0)
        busy = min(workers, cores())
        seconds = max(sum(flops.values()) / busy, chain) / (pace or probed_pace())
    return Outlook(
        tasks=last,
        learners=len(learners),
        fits=sum(different_fits(x.selection, at) for x in learners.values() for at in range(1, last + 1)),
        cells=sum(map(sum, counts.values())),
        rows=sum(train for train, _ in known.values()) if len(known) == last else None,
        at_most=not isinstance(named.source, SimulatedSource),
        out=str(config.out_folder),
        workers=workers,
        seconds=seconds,
        measured=measured,
        flops=flops,
        to_choose=sum(fits_to_choose(x.selection, at) for x in learners.values() for at in range(1, last + 1)),
    )


def remember_pace(context: RunContext, events: Iterable[JobEvent]) -> None:
    """Writes the pace of the jobs of this call for the outlooks of later runs.

    Args:
        events: Events of these jobs.
    """
    architecture, config = context.known.architecture, context.config
    works = {name: WorkOf(architecture, learner, config.max_length) for name, learner in context.learners.items()}
    if (pace := measured_pace(works, context.facts().tasks, events)) is not None:
        write_pace(pace_file(config, architecture), pace)


def pace_file(config: RunConfig, architecture: Architecture) -> Path:
    """Returns the file of the pace on this kind of machine, for one size of encoder and one dtype."""
    sizes = [str(size) for size in (architecture.hidden, architecture.layers, architecture.ffn)]
    return facts_folder() / f"pace-{content_id('pace', *sizes, config.dtype, canonical(machine()))[:32]}.json"


def _fits_on(architecture: Architecture, alternative: Alternative) -> bool:
    return has_layout(alternative.learner, architecture)


def _rows(named: Resolved, task: str, limits: Limits) -> tuple[int, int] | None:
    """Returns the numbers of training and test rows of a task; None if they are not known before it is read."""
    if isinstance(named.source, SimulatedSource):
        twin = find_twin(task)
        return named.source.rows(twin, "train", limits), named.source.rows(twin, "test", limits)
    paper = TASKS[task].paper if task in TASKS else None
    most = (paper.train, paper.test) if paper else (limits.train, limits.test)
    train, test = (
        limit if size is None else size if limit is None else min(size, limit)
        for size, limit in zip(most, (limits.train, limits.test), strict=True)
    )
    return None if train is None or test is None else (train, test)


def _fits(work: WorkOf, task: str, rows: int, arrival: int) -> float:
    """Returns the FLOPs of all fits of a learner at an arrival: of one with alternatives, those of its trials."""
    selection = work.learner.selection
    if selection is None:
        return work.fit(task, rows, work.learner.training.epochs)
    share = sum(share_of_fit(selection, arrival, number) for number in (None, *trials_at(selection, arrival)))
    works = [replace(work, learner=each.learner) for each in selection.alternatives]
    fits = [each.fit(task, rows, each.learner.training.epochs) for each in works]
    return share * sum(fits) / len(fits)


def _evaluations(config: RunConfig, last: int, isolated: bool) -> list[int]:
    """Returns how often the task of each arrival is evaluated, the row before training included."""
    if config.evaluate == "square":
        return [1 + last] * last
    if config.evaluate == "audited" and isolated:  # on arrival, once among the audits (roughly), and at the end
        return [4 if at < last - 1 else 3 for at in range(last)]
    return [1 + last - at for at in range(last)]


def architecture_of(name: str) -> Architecture | None:
    """Returns the architecture of a backbone; None if it is not known before it is downloaded."""
    try:
        file = user_path(name, where="--backbone") / "config.json"
        if file.is_file():
            pooler = False if pooling_of(file.parent) == "mean" else None
            return architecture_from_config(read_object(file, what="damaged config"), pooler=pooler, where=str(file))
        return known_architecture(name)
    except InputError:
        return None


def _count(number: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _about(seconds: float) -> str:
    """A time that claims no more than it knows: 40 seconds, 5 minutes, 3 hours."""
    for unit, length in (("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 1.5 * length:
            return _count(round(seconds / length), unit)
    return _count(max(1, round(seconds / 10) * 10 if seconds >= 20 else round(seconds)), "second")
