"""The state of a run at a line of its ledger, computed only from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast, get_args

from learners.backbones.backbone import Dtype
from learners.specification.alternatives import restricted
from learners.specification.family import parse_learner
from learners.specification.learner import Learner, Training
from learners.specification.recipe import trainer_in
from stream.engine.header import last_header
from stream.engine.jobs import plan_jobs
from stream.engine.resume import finished_events, latest_events
from stream.engine.stream import Experience, Stream
from stream.plugins.used import MissingPlugin, check_present
from stream.results.document import Facts
from stream.storage.cell import Cell
from stream.storage.events import Event, Fit, Header, JobEvent, RowEvent
from stream.storage.finished import Finished, fit_of
from stream.storage.job import Job
from stream.storage.keys import RunInputs


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """The last call of a run: its inputs, its jobs, and the events of the finished ones.

    Attributes:
        header: Header of the call.
        inputs: Inputs of the jobs' keys, from the header.
        facts: Facts about the run, from the header; with the learners.
        jobs: All jobs of the run, in plan order.
        events: Events of the finished jobs, by job id.
        superseded: Number of job events that have no key of the plan.
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

    @property
    def pack(self) -> int:
        """How many Deltas went through the encoder together."""
        found = self.inputs.numerics.get("pack", 1)
        return found if isinstance(found, int) else 1

    @cached_property
    def fits(self) -> Mapping[str, list[Fit | None]]:
        """Events of each learner's fits in order of arrival, failed ones included; None for a fit that is not done."""
        return {
            name: [fit_of(self.events, name, arrival) for arrival in self.place.values()]
            for name in self.facts.learners
        }

    @property
    def written_cells(self) -> Iterator[Cell]:
        """The cells in the ledger that count."""
        return (cell for event in self.events.values() if isinstance(event, RowEvent) for cell in event.cells)

    @property
    def dtype(self) -> Dtype:
        """Dtype of the backbone.

        Raises:
            ValueError: The ledger has an unknown dtype.
        """
        dtype = self.inputs.numerics.get("dtype")
        if dtype not in get_args(Dtype):
            raise ValueError(f"unknown dtype: {dtype!r}")
        return cast(Dtype, dtype)

    def certifiable(self, learner: str) -> bool:
        """Whether cells of this learner may be certified; never for a sequential learner, whose body changes with each
        task."""
        return self.inputs.evaluate == "audited" and self.facts.learners[learner].keeps_task_weights


def recorded_run(events: Sequence[Event], where: str = "ledger.jsonl", lenient: bool = False) -> RecordedRun | None:
    """Returns the state after these events; None if no call has written its header.

    Args:
        events: Events of the ledger, from the first on.
        where: Path of the ledger, for messages. Default: "ledger.jsonl".
        lenient: Whether to accept missing plug-ins. Their learners are then made from their settings in the ledger.
            These say how they share and train, not how they compute: enough to show a run. Default: False.

    Raises:
        LookupError, TypeError, ValueError, tasks.errors.InputError: A run does not write such a header.
        MissingPlugin: The run uses a plug-in that is not loaded, and `lenient` is false.
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
        name: _learner_from(settings)
        if missing and "plugins" in settings
        else _recorded(parse_learner(name, header.overrides), settings)
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
    return RecordedRun(header, inputs, facts, jobs, finished, superseded)


def _recorded(learner: Learner, settings: Mapping[str, Any]) -> Learner:
    """Returns the learner with the names that the run gave it: an earlier version may have used others. It has the
    alternatives that the backbone of the run allowed."""
    if learner.selection is not None:
        kept = {each["specification"] for each in settings["selection"]["alternatives"]}
        learner = restricted(learner, lambda each: each.specification in kept)
    return replace(learner, name=settings["name"], draws_as=settings.get("seeds", ""))


def _learner_from(settings: Mapping[str, Any]) -> Learner:
    """Returns a learner with only the fields that its settings in the ledger give."""
    names = ("name", "family", "sharing", "library", "trains")
    training = {name: value for name, value in settings["training"].items() if name != "class"}
    trainer, config = trainer_in(settings)
    return Learner(
        **{name: settings[name] for name in names if name in settings},
        training=Training(**training),
        trainer=trainer,
        trainer_config=config,
        draws_as=settings.get("seeds", ""),
        plugins=tuple(settings["plugins"]),
    )
