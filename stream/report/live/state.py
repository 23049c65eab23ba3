"""The live state of a run: a few numbers that sum up its events so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream.report.numbers import mean
from stream.results.reading import number

Event = Mapping[str, object]  # an event of `stream.engine.progress`; a view does not show missing fields


@dataclass
class RunningJob:
    """One running job. The numbers come from its last progress event; None means not known."""

    kind: str
    learner: str
    task: str
    arrival: int
    worker: Any = None
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    examples_per_second: float | None = None
    again: str = ""  # the earlier task that the worker must fit again before this job; empty if none

    @property
    def what(self) -> tuple[str, str, int]:
        return self.kind, self.learner, self.arrival


@dataclass
class LearnerState:
    """The progress of one learner.

    Attributes:
        arrivals: Number of finished arrivals.
        failed: Arrivals whose fit failed.
        scores: Last score of each arrived task.
        learned: Score of each task on its own arrival, by arrival.
        forgetting, growth: After the last arrival; None if not known.
    """

    arrivals: int = 0
    failed: set[int] = field(default_factory=set)
    scores: dict[str, float | None] = field(default_factory=dict)
    learned: dict[int, float | None] = field(default_factory=dict)
    forgetting: float | None = None
    growth: float | None = None

    @property
    def average(self) -> float | None:
        return mean(list(self.scores.values()))

    @property
    def counted(self) -> int:
        """Number of tasks that the average uses."""
        return sum(score is not None for score in self.scores.values())


class RunState:
    """The state of a run. It takes the events one by one.

    A job ends with its result, or when its worker starts another job. A job that never started came from the store.
    The rate counts only computed jobs, so the estimate of a resumed run is not too optimistic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.run: dict[str, object] = {}
        self.order: list[str] = []
        self.place: dict[str, int] = {}  # arrival of each task, from 1
        self.learners: dict[str, LearnerState] = {}
        self.running: dict[Any, RunningJob] = {}
        self.jobs: int | None = None
        self.done = 0
        self.computed = 0
        self.finished: set[object] = set()
        self.since = clock()

    def handle(self, event: Event) -> None:
        """Takes one event. An event of an unknown kind changes nothing."""
        match event.get("event"):
            case "run":
                self.begin(event)
            case "start":
                self.start(event)
            case "progress":
                self.progress(event)
            case "fit":
                self.finish(event, "fit")
                if event.get("failed"):
                    learner = self.learners.setdefault(str(event.get("learner")), LearnerState())
                    learner.failed.add(int(number(event.get("arrival")) or 0))
            case "search":
                self.finish(event, "search")
            case "before":
                self.finish(event, "before")
            case "row":
                self.finish(event, "evaluate")
                self.row(event)
            case "end":
                self.running.clear()

    @property
    def failed(self) -> int:
        """Number of failed fits."""
        return sum(len(learner.failed) for learner in self.learners.values())

    @property
    def elapsed(self) -> float:
        return max(self.clock() - self.since, 0.0)

    @property
    def jobs_per_second(self) -> float | None:
        return self.computed / self.elapsed if self.computed and self.elapsed > 0 else None

    @property
    def remaining(self) -> float | None:
        """Remaining seconds at the rate so far. None before three jobs are computed: the rate is not reliable yet."""
        rate = self.jobs_per_second
        if rate is None or self.jobs is None or self.computed < 3:
            return None
        return max(self.jobs - self.done, 0) / rate

    def begin(self, event: Event) -> None:
        self.run = dict(event)
        self.order = [str(task) for task in listed(event.get("order"))]
        self.place = {task: arrival for arrival, task in enumerate(self.order, start=1)}
        self.learners = {str(name): LearnerState() for name in entries(event.get("learners"))}
        jobs = number(event.get("jobs"))
        self.jobs = None if jobs is None else int(jobs)
        self.since = self.clock()

    def start(self, event: Event) -> None:
        worker = event.get("worker")
        if worker is not None:
            for job, record in list(self.running.items()):
                if record.worker == worker:
                    self.end_job(job)
        self.running[event.get("job")] = RunningJob(
            kind=str(event.get("kind") or ""),
            learner=str(event.get("learner") or ""),
            task=str(event.get("task") or ""),
            arrival=int(number(event.get("arrival")) or 0),
            worker=worker,
        )

    def progress(self, event: Event) -> None:
        job = self.running.get(event.get("job"))
        if job is None:
            return
        for name in ("epoch", "epochs", "step", "steps"):
            value = number(event.get(name))
            if value is not None:
                setattr(job, name, int(value))
        job.loss = number(event.get("loss"))
        job.examples_per_second = number(event.get("examples_per_second"))
        job.again = str(event.get("again") or "")

    def row(self, event: Event) -> None:
        name, arrival = str(event.get("learner")), int(number(event.get("arrival")) or 0)
        learner = self.learners.setdefault(name, LearnerState())
        cells = {str(cell["task"]): number(cell.get("score")) for cell in map(entries, listed(event.get("cells")))}
        learner.arrivals = arrival
        last = max(arrival, 1)
        learner.scores |= {task: score for task, score in cells.items() if self.place.get(task, last) <= last}
        learner.learned.setdefault(arrival, cells.get(str(event.get("task"))))  # a final audit repeats the last row
        learner.forgetting = number(event.get("forgetting"))
        learner.growth = number(event.get("growth"))

    def finish(self, event: Event, kind: str) -> None:
        """Ends the job of a result event. It finds the job by its id, or else by kind, learner and arrival."""
        if "job" in event:
            self.end_job(event["job"])
            return
        what = (kind, str(event.get("learner")), int(number(event.get("arrival")) or 0))
        self.end_job(next((job for job, record in self.running.items() if record.what == what), what))

    def end_job(self, job: object) -> None:
        """Counts a job once, even if the next job of its worker starts before its result arrives."""
        record = self.running.pop(job, None)
        self.computed += record is not None
        self.done += job not in self.finished
        self.finished |= {job, record.what} if record is not None else {job}


def listed(value: object) -> list[object]:
    """Returns a list in an event; an empty one if it is missing."""
    return list(value) if isinstance(value, list | tuple) else []


def entries(value: object) -> Mapping[str, object]:
    """Returns an object in an event; an empty one if it is missing."""
    return value if isinstance(value, Mapping) else {}
