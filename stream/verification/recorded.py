"""The state of a run at a line of its ledger, from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast, get_args

from learners.backbones.backbone import Dtype
from learners.specification.family import parse_learner
from stream.engine.header import last_opening
from stream.engine.jobs import plan_jobs
from stream.engine.resume import replay, written
from stream.engine.stream import Experience, Stream
from stream.results.document import Facts
from stream.storage.events import Event, Fit, JobEvent, Opening
from stream.storage.finished import Finished, fit_of
from stream.storage.job import Job
from stream.storage.keys import RunInputs


@dataclass(frozen=True, eq=False)
class Recorded:
    """What the last call rested on, what it had to do, and what is done of it.

    Attributes:
        opening: Of that call.
        inputs, facts: What it says, keys and results derive from.
        jobs: Its plan, made anew.
        events: Events of finished jobs, by job id.
        superseded: Events of jobs that stand under no key of the plan.
    """

    opening: Opening
    inputs: RunInputs
    facts: Facts
    jobs: tuple[Job, ...]
    events: Finished
    superseded: int

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Arrival of each task, from 1."""
        return {task: arrival for arrival, task in enumerate(self.facts.order, start=1)}

    @cached_property
    def fits(self) -> Mapping[str, list[Fit | None]]:
        """By learner, the event of each fit in order of arrival, failed ones too; None where not done."""
        return {
            name: [fit_of(self.events, name, arrival) for arrival in self.place.values()]
            for name in self.facts.learners
        }

    @property
    def dtype(self) -> Dtype:
        """Of the backbone.

        Raises:
            ValueError: The ledger names another than there is.
        """
        dtype = self.inputs.numerics.get("dtype")
        if dtype not in get_args(Dtype):
            raise ValueError(f"no dtype: {dtype!r}")
        return cast(Dtype, dtype)

    def certifiable(self, learner: str) -> bool:
        """Whether cells of this learner may be certified: never of a sequential one, whose body goes on changing."""
        return self.inputs.evaluate == "audited" and self.facts.learners[learner].keeps_task_weights


def recorded(events: Sequence[Event]) -> Recorded | None:
    """The state that these events give; None before the first call.

    Raises:
        LookupError, TypeError, ValueError, tasks.errors.InputError: An opening that is none of ours.
    """
    opening = last_opening(events)
    if opening is None:
        return None
    inputs = opening.inputs
    learners = {name: parse_learner(name, opening.overrides) for name in inputs.learners}
    order = tuple(inputs.data)
    stream = Stream(tuple(Experience(arrival, task) for arrival, task in enumerate(order, start=1)))
    jobs = plan_jobs(stream, learners, inputs.evaluate, inputs.seed)
    latest = written(events)
    finished = replay(latest, jobs, inputs.key)
    keys = {event.key for event in finished.values()}
    superseded = sum(isinstance(event, JobEvent) and event.key not in keys for event in events)
    facts = Facts(**vars(opening.facts), learners=learners)
    return Recorded(opening, inputs, facts, jobs, finished, superseded)
