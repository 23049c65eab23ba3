"""The state of a run at a line of its ledger, from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast, get_args

from learners.backbones.backbone import Dtype
from learners.specification.family import parse_learner
from learners.specification.learner import Learner, Training
from learners.specification.recipe import trainer_in
from stream.engine.header import last_header
from stream.engine.jobs import plan_jobs
from stream.engine.resume import finished_events, latest_events
from stream.engine.stream import Experience, Stream
from stream.plugins.used import MissingPlugin, check_present
from stream.results.document import Facts
from stream.storage.events import Event, Fit, Header, JobEvent
from stream.storage.finished import Finished, fit_of
from stream.storage.job import Job
from stream.storage.keys import RunInputs


@dataclass(frozen=True, eq=False)
class Recorded:
    """What the last call rested on, what it had to do, and what is done of it.

    Attributes:
        header: Of that call.
        inputs, facts: What it says, keys and results derive from.
        jobs: Its plan, made anew.
        events: Events of finished jobs, by job id.
        superseded: Events of jobs that stand under no key of the plan.
    """

    header: Header
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


def recorded(events: Sequence[Event], where: str = "ledger.jsonl", lenient: bool = False) -> Recorded | None:
    """The state that these events give; None before the first call.

    Args:
        where: The ledger, for messages.
        lenient: Go without plug-ins that are not in use: their learners are then those of the ledger, of which it is
            known what their tasks share and how they trained, but not what they compute. Enough to show a run.

    Raises:
        LookupError, TypeError, ValueError, tasks.errors.InputError: An header that is none of ours.
        MissingPlugin: It rests on a plug-in that is not in use.
    """
    header = last_header(events)
    if header is None:
        return None
    inputs = header.inputs
    try:
        check_present(header.facts.plugins, where)
        missing = False
    except MissingPlugin:
        if not lenient:
            raise
        missing = True
    learners = {
        name: _known(settings) if missing and "plugins" in settings else parse_learner(name, header.overrides)
        for name, settings in inputs.learners.items()
    }
    order = tuple(inputs.data)
    stream = Stream(tuple(Experience(arrival, task) for arrival, task in enumerate(order, start=1)))
    jobs = plan_jobs(stream, learners, inputs.evaluate, inputs.seed)
    latest = latest_events(events)
    finished = finished_events(latest, jobs, inputs.key)
    keys = {event.key for event in finished.values()}
    superseded = sum(isinstance(event, JobEvent) and event.key not in keys for event in events)
    facts = Facts(**vars(header.facts), learners=learners)
    return Recorded(header, inputs, facts, jobs, finished, superseded)


def _known(settings: Mapping[str, Any]) -> Learner:
    """As much of a learner as its settings in the ledger say."""
    plain = {name: settings[name] for name in ("name", "family", "sharing", "library", "trains")}
    trainer, config = trainer_in(settings)
    return Learner(
        **plain,
        training=Training(**settings["training"]),
        trainer=trainer,
        trainer_config=config,
        draws_as=settings.get("seeds", ""),
        plugins=tuple(settings["plugins"]),
    )
