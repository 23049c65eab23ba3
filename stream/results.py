"""Results of a run as one plain document, from the ledger's events alone: `results.json`, schema 1."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from learners.learner import Learner
from stream.cost import TaskCost, growth
from stream.matrix import AccuracyMatrix, append_arrival, empty_matrix
from stream.metrics import Baseline, compute_all

SCHEMA = 1
LIBRARIES = ("torch", "transformers", "numpy", "safetensors", "scikit-learn")

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a run rests on, known before the first job."""

    suite: str
    source: str
    backbone: dict[str, Any]  # name, id, parameters
    order: tuple[str, ...]
    seed: int
    tasks: dict[str, dict[str, Any]]  # metric, classes, train, test, kind
    learners: Mapping[str, Learner]
    settings: dict[str, Any]
    numerics: dict[str, Any]


def results(facts: Facts, events: Mapping[str, Event]) -> dict[str, Any]:
    """The document.

    Args:
        events: The valid event of each finished job, by job id.
    """
    return {
        "schema": SCHEMA,
        "suite": facts.suite,
        "source": facts.source,
        "backbone": facts.backbone,
        "order": list(facts.order),
        "seed": facts.seed,
        "settings": facts.settings,
        "tasks": facts.tasks,
        "learners": {name: _learner(facts, name, learner, events) for name, learner in facts.learners.items()},
        "environment": environment(facts.numerics),
    }


def matrix_of(order: tuple[str, ...], name: str, events: Mapping[str, Event]) -> AccuracyMatrix:
    """R of one learner, as far as its rows are done without a gap."""
    before = {cell["task"]: cell["score"] for cell in events.get(f"before/{name}/0", {}).get("cells", ())}
    matrix = empty_matrix(order, before)
    for arrival in range(1, len(order) + 1):
        event = row_event(events, name, arrival)
        if event is None:
            break
        cells = event["cells"]
        scores = {cell["task"]: cell["score"] for cell in cells}
        matrix = append_arrival(matrix, scores, {cell["task"]: cell["provenance"] for cell in cells})
    return matrix


def references_of(facts: Facts, name: str, events: Mapping[str, Event]) -> dict[Baseline, dict[str, float]]:
    """What a learner's scores may be compared with: the isolated learner of the same kind, on each task alone."""
    learner = facts.learners[name]
    alone = learner.name.replace("sharing=sequential", "sharing=isolated")
    twins = [twin for twin, x in facts.learners.items() if (x.name, x.training) == (alone, learner.training)]
    scores = {}
    for arrival, task in enumerate(facts.order, start=1):
        for cell in (events.get(f"evaluate/{twins[0]}/{arrival}", {}) if twins else {}).get("cells", ()):
            if cell["task"] == task:
                scores[task] = cell["score"]
    return {"single_task": scores}


def row_event(events: Mapping[str, Event], name: str, arrival: int) -> Event | None:
    """The event that holds a row of R: the final audit of the last row where there was one."""
    return events.get(f"audit/{name}/{arrival}") or events.get(f"evaluate/{name}/{arrival}")


def growth_of(facts: Facts, name: str, events: Mapping[str, Event], *, heads: bool) -> list[float]:
    """Growth after each finished fit of a learner, x of the backbone, zeros pruned."""
    costs = []
    for arrival in range(1, len(facts.order) + 1):
        event = events.get(f"fit/{name}/{arrival}")
        if event is None:
            break
        tuned = event["parameters"] - event["added_parameters"]
        costs.append(TaskCost(tuned, event["added_parameters"], event["head_parameters"]))
    return list(growth(facts.learners[name], facts.backbone["parameters"], costs, heads=heads))


def violations_of(facts: Facts, name: str, events: Mapping[str, Event]) -> list[dict[str, Any]]:
    """Cells of an isolated learner whose logits are not, bit for bit, those of the day the task was learned."""
    if facts.learners[name].sharing != "isolated":
        return []
    first: dict[str, str] = {}
    found = []
    for arrival in range(1, len(facts.order) + 1):
        learned = set(facts.order[:arrival])
        rows = [events.get(f"{kind}/{name}/{arrival}", {}) for kind in ("evaluate", "audit")]
        for cell in (cell for row in rows for cell in row.get("cells", ())):
            if cell["task"] in learned and first.setdefault(cell["task"], cell["logits"]) != cell["logits"]:
                then = {
                    "task": cell["task"],
                    "arrival": arrival,
                    "expected": first[cell["task"]],
                    "found": cell["logits"],
                }
                found.append(then)
    return found


def environment(numerics: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, threads, device and machine that the numbers were made with."""
    return {
        "taskstream": version("taskstream"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{library: version(library) for library in LIBRARIES},
        **numerics,
    }


def _learner(facts: Facts, name: str, learner: Learner, events: Mapping[str, Event]) -> dict[str, Any]:
    matrix = matrix_of(facts.order, name, events)
    fits = {task: events.get(f"fit/{name}/{t}") for t, task in enumerate(facts.order, start=1)}
    done = {task: event for task, event in fits.items() if event is not None}
    rows = [
        event
        for key, event in events.items()
        if key.startswith((f"evaluate/{name}/", f"before/{name}/", f"audit/{name}/"))
    ]
    given = [how for row in matrix.provenance for how in row if how is not None]
    violations = violations_of(facts, name, events)
    return {
        "spec": name,
        "canonical": learner.name,
        "sharing": learner.sharing,
        "R": [list(matrix.before), *(list(row) for row in matrix.rows)],
        "baseline": list(matrix.before),
        "provenance": [[how and "measured" for how in matrix.before], *(list(row) for row in matrix.provenance)],
        "metrics": compute_all(matrix, references_of(facts, name, events)),
        "cost": {
            "trained_parameters_per_task": {task: event["parameters"] for task, event in done.items()},
            "head_parameters_per_task": {task: event["head_parameters"] for task, event in done.items()},
            "growth": growth_of(facts, name, events, heads=True),
            "growth_without_heads": growth_of(facts, name, events, heads=False),
            "bytes_per_task": {task: event["bytes"] for task, event in done.items()},
            "train_flops": sum(event["flops"] for event in done.values()),
            "train_seconds": sum(event["seconds"] for event in done.values()),
            "evaluate_seconds": sum(cell["seconds"] for row in rows for cell in row["cells"]),
            "peak_memory_bytes": max((event["peak_memory_bytes"] for event in done.values()), default=None),
        },
        "retention": {
            "verified": learner.sharing == "isolated" and matrix.arrivals == len(facts.order) and not violations,
            "cells_measured": given.count("measured"),
            "cells_certified": given.count("certified"),
            "cells_audited": given.count("audited"),
            "violations": violations,
        },
    }
