"""The state of a run at a line of its ledger, from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from learners.specification.family import parse_learner
from stream.engine.header import last_opened
from stream.engine.jobs import plan_jobs
from stream.engine.keys import RunInputs
from stream.engine.resume import replay, written
from stream.engine.stream import Experience, Stream
from stream.results.document import Facts
from stream.storage.job import Job, JobId

Event = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Recorded:
    """What the last call rested on, what it had to do, and what is done of it.

    Attributes:
        opening: The "run" event of that call.
        inputs, facts: What it says, keys and results derive from.
        jobs: Its plan, made anew.
        events: Events of finished jobs, by job id.
        superseded: Events of jobs that stand under no key of the plan.
    """

    opening: Event
    inputs: RunInputs
    facts: Facts
    jobs: tuple[Job, ...]
    events: Mapping[str, Event]
    superseded: int

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Arrival of each task, from 1."""
        return {task: arrival for arrival, task in enumerate(self.facts.order, start=1)}

    @cached_property
    def fits(self) -> Mapping[str, list[Event | None]]:
        """By learner, the event of each fit in order of arrival, failed ones too; None where not done."""
        return {
            name: [self.events.get(JobId.of("fit", name, t)) for t in self.place.values()]
            for name in self.facts.learners
        }

    def certifiable(self, learner: str) -> bool:
        """Whether cells of this learner may be certified: never of a sequential one, whose body goes on changing."""
        return self.inputs.evaluate == "audited" and self.facts.learners[learner].keeps_task_weights


def recorded(events: Sequence[Event]) -> Recorded | None:
    """The state that these events give; None before the first call.

    Raises:
        LookupError, TypeError, ValueError, tasks.errors.InputError: A "run" event that is none of ours.
    """
    opening = last_opened(list(events))
    if opening is None:
        return None
    inputs, facts = RunInputs(**opening["inputs"]), dict(opening["facts"])
    learners = {name: parse_learner(name, opening["overrides"]) for name in inputs.learners}
    order = tuple(inputs.data)
    stream = Stream(tuple(Experience(arrival, task) for arrival, task in enumerate(order, start=1)))
    jobs = plan_jobs(stream, learners, inputs.evaluate, inputs.seed)
    latest = written(events)
    finished = replay(latest, jobs, inputs.key)
    keys = {event["key"] for event in finished.values()}
    superseded = sum("key" in event and event["key"] not in keys for event in events)
    whole = Facts(**{**facts, "order": tuple(facts["order"]), "learners": learners})
    return Recorded(opening, inputs, whole, jobs, finished, superseded)
