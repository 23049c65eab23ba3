"""The Deltas that a run has learned, each with its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta
from learners.specification.learner import Learner
from stream.hub.delta_record import DeltaRecord
from stream.hub.manifest import record_of
from stream.results.document import results
from stream.results.results import Results
from stream.verification.checks import store_of, whole_record
from stream.verification.learned import final_delta, final_learner, learned_tasks, named_learner, run_backbone
from stream.verification.sources import encoded_of
from tasks.encoded import open_encoded
from tasks.errors import InputError, unknown_name


@dataclass(frozen=True, eq=False)
class RunDelta:
    """What a learner of a run has for one task.

    Attributes:
        name: Name of the learner in the run. Of a learner with alternatives, `learner` is the one that the task kept.
    """

    name: str
    record: DeltaRecord
    delta: Delta
    learner: Learner


@dataclass(frozen=True, eq=False)
class RunDeltas:
    """The Deltas of a run.

    Attributes:
        backbone: The backbone, float32.
        learners: Names of the learners that have learned a task.
        results: The results of the run so far.
        deltas: Yields the Deltas, task after task.
    """

    backbone: Backbone
    learners: Sequence[str]
    results: Results
    deltas: Iterator[RunDelta]


def run_deltas(
    folder: Path,
    learner: str | None,
    task: str | None,
    store: Path | None,
    progress: Callable[[str], None] = lambda text: None,
    backbone: str | None = None,
) -> RunDeltas:
    """Finds the Deltas of a run, finished or not.

    Args:
        learner, task: A learner and a task of the run; None for all. Tasks without a good fit are left out.
        store: The store with the Deltas; None for the store of the run.
        progress: Takes a line of text about each step.
        backbone: The backbone, as in `--backbone`. Default: None, the one in the record.

    Raises:
        InputError: The run, learner or task does not exist, nothing was learned yet, or the backbone differs from that
            of the run. Also from `deltas`: a Delta is missing or changed, or the data differ.
    """
    evidence, run = whole_record(folder)
    chosen = [name for name in run.facts.learners if learner is None or name == named_learner(run, learner)]
    if task is not None and task not in run.place:
        raise unknown_name("task", task, run.place, where=str(folder))
    pairs = [(name, each) for name in chosen for each in learned_tasks(run, name) if task in (None, each)]
    if not pairs:
        raise InputError("nothing was learned yet", where=str(folder), fix="continue the run")
    progress(f"loading backbone {run.facts.backbone['name']}")
    base = run_backbone(run, backbone)
    config = evidence.config
    assert config is not None  # `whole_record` makes sure of it
    encoded = {each: encoded_of(run, each, config, base, progress) for each in dict.fromkeys(t for _, t in pairs)}

    def deltas() -> Iterator[RunDelta]:
        for each, path in encoded.items():
            data = open_encoded(path)  # opens many files, so only one task at a time
            for name in (name for name, its in pairs if its == each):
                delta = final_delta(run, store_of(evidence, store), name, each)
                record = record_of(run, evidence, base, name, data, delta)
                yield RunDelta(name, record, delta, final_learner(run, name, each)[1])

    names = tuple(dict.fromkeys(name for name, _ in pairs))
    return RunDeltas(base, names, Results.from_dict(results(run.facts, run.events)), deltas())
