"""The difference between two runs: compares their results, and their ledgers if they have any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from stream.results.cell_comparison import CellComparison, compare_cells
from stream.results.results import Results, TaskInfo

COSTS = ("train_flops", "train_seconds", "evaluate_seconds", "peak_memory_bytes")  # after the last arrival
FACTS = ("kind", "metric", "classes", "train", "validation", "test", "ceiling")  # facts about a task, without its data


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes:
        folder: As the user named it.
        settings: Settings of the command, by name.
        logits: Content id of the logits of each evaluated cell, by learner, arrival and task; None without a ledger.
        deltas: Content id of each Delta, by learner and task; None without a ledger.
    """

    folder: str
    results: Results
    settings: Mapping[str, object]
    logits: Mapping[tuple[str, int, str], str] | None = None
    deltas: Mapping[tuple[str, str], str] | None = None


@dataclass(frozen=True)
class RunFacts:
    """A run in one line.

    Attributes:
        tasks, arrivals, learners: Numbers; `arrivals` are those that every learner has finished.
        ledger: Whether the run has a ledger. Only then can logits and Deltas be compared.
    """

    folder: str
    suite: str
    tasks: int
    arrivals: int
    learners: int
    ledger: bool


@dataclass(frozen=True)
class Unlike:
    """A value that differs. It is None for a run that does not have it."""

    name: str
    a: object
    b: object


@dataclass(frozen=True)
class Names:
    """The names that both runs have, in the order of run a, and the names that only one run has."""

    both: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """One number in both runs, and `difference` = b - a. None means not known."""

    a: float | None
    b: float | None
    difference: float | None


@dataclass(frozen=True)
class Same:
    """Whether the runs agree, for each part."""

    settings: bool
    inputs: bool
    learners: bool
    tasks: bool
    cells: bool


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two runs, with the numbers of both.

    Attributes:
        settings: Settings of the command that differ.
        inputs: Inputs that differ: backbone, data, versions, numerics, and the training settings of learners.
        same_order_for: Number of first arrivals with the same tasks in the same order.
        cells: The compared cells of R, by learner that both runs have.
        metrics, cost: Numbers by name, by learner that both runs have.
    """

    a: RunFacts
    b: RunFacts
    settings: tuple[Unlike, ...]
    inputs: tuple[Unlike, ...]
    learners: Names
    tasks: Names
    same_order_for: int
    cells: Mapping[str, CellComparison]
    metrics: Mapping[str, Mapping[str, Figure]]
    cost: Mapping[str, Mapping[str, Figure]]
    same: Same

    def as_dict(self) -> dict[str, Any]:
        """Returns the difference as one document of plain values, for JSON."""
        document = asdict(self)
        return document | {"settings": [entry | {"setting": entry["name"]} for entry in document["settings"]]}


def difference(a: Side, b: Side) -> Difference:
    """Compares run a with run b."""
    learners, tasks = names(a.results, b.results), names(a.results.tasks, b.results.tasks)
    settings = unlike(a.settings, b.settings)
    already_listed = {entry.name for entry in settings}
    inputs = unlike(inputs_of(a.results, tasks.both), inputs_of(b.results, tasks.both))
    for name in learners.both:
        training = unlike(a.results[name].training, b.results[name].training)
        inputs += [Unlike(f"{x.name} of {name}", x.a, x.b) for x in training if x.name not in already_listed]
    start = common_start(a.results.order, b.results.order)
    cells = compare_cells(
        a.results, b.results, learners.both, tasks.both, start, (a.logits, b.logits), (a.deltas, b.deltas)
    )
    return Difference(
        a=described(a),
        b=described(b),
        settings=tuple(settings),
        inputs=tuple(inputs),
        learners=learners,
        tasks=tasks,
        same_order_for=start,
        cells=cells,
        metrics={name: figures(a.results[name].metrics, b.results[name].metrics) for name in learners.both},
        cost={name: figures(costs_of(a.results, name), costs_of(b.results, name)) for name in learners.both},
        same=Same(
            settings=not settings,
            inputs=not inputs,
            learners=not (learners.only_a or learners.only_b),
            tasks=not (tasks.only_a or tasks.only_b),
            cells=not any(found.differ for found in cells.values()),
        ),
    )


def described(side: Side) -> RunFacts:
    results, ledger = side.results, side.logits is not None
    return RunFacts(side.folder, results.suite, len(results.order), results.arrivals, len(results), ledger)


def names(a: Iterable[str], b: Iterable[str]) -> Names:
    one, other = dict.fromkeys(a), dict.fromkeys(b)
    only_a, only_b = (tuple(x for x in these if x not in those) for these, those in ((one, other), (other, one)))
    return Names(tuple(name for name in one if name in other), only_a, only_b)


def unlike(a: Mapping[str, object], b: Mapping[str, object]) -> list[Unlike]:
    """Returns the entries that differ."""
    return [Unlike(name, a.get(name), b.get(name)) for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name)]


def inputs_of(results: Results, tasks: Sequence[str]) -> dict[str, object]:
    """Returns what the results depend on apart from the settings: backbone, data, versions and numerics."""
    backbone = results.backbone
    found: dict[str, object] = {f"backbone {x.name}": getattr(backbone, x.name) or None for x in fields(backbone)[1:]}
    for name in tasks:
        task = results.tasks.get(name, TaskInfo())
        found[f"data of {name}"] = task.data_id or None
        found |= {f"{fact} of {name}": getattr(task, fact) for fact in FACTS}
    return found | dict(results.environment)


def common_start(a: Sequence[str], b: Sequence[str]) -> int:
    """Returns the number of first arrivals with the same tasks in the same order."""
    pairs = list(zip(a, b, strict=False))
    return next((index for index, (one, other) in enumerate(pairs) if one != other), len(pairs))


def costs_of(results: Results, learner: str) -> dict[str, float | None]:
    """Returns the cost after the last arrival. A quantity that each task has is given as its mean over tasks."""
    cost = results[learner].cost
    return {
        "growth": cost.growth[-1] if cost.growth else None,
        "growth_without_heads": cost.growth_without_heads[-1] if cost.growth_without_heads else None,
        "trained_parameters_per_task": results[learner].trained_parameters,
        "bytes_per_task": results[learner].bytes_per_task,
        **{name: getattr(cost, name) for name in COSTS},
    }


def figures(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> dict[str, Figure]:
    """Pairs the numbers of both runs, by name."""
    found = {}
    for name in dict.fromkeys((*a, *b)):
        one, other = a.get(name), b.get(name)
        found[name] = Figure(one, other, None if one is None or other is None else other - one)
    return found
