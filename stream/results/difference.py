"""Difference: what two runs have not in common, from their results and, where there are any, their ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Any]
Values = Mapping[str, Any]
Places = Mapping[str, int]

COSTS = ("train_flops", "train_seconds", "evaluate_seconds", "peak_memory_bytes")  # of results.json, as they stand
FACTS = ("kind", "metric", "classes", "train", "validation", "test", "ceiling")  # of a task, beside its data


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes:
        settings: Of the command.
        logits: Content id of the logits of each cell that was run, by learner, arrival and task; None without a ledger.
        deltas: Content id of each Delta, by learner and task; None without a ledger.
    """

    folder: str
    results: Results
    settings: Values
    logits: Mapping[tuple[str, int, str], str] | None = None
    deltas: Mapping[tuple[str, str], str] | None = None

    @property
    def place(self) -> Places:
        """Arrival of each task, from 1."""
        return {task: arrival for arrival, task in enumerate(self.results["order"], start=1)}

    def rows(self, learner: str) -> Sequence[Sequence[float | None]]:
        """R, its first row before any training."""
        found: Sequence[Sequence[float | None]] = self.results["learners"][learner]["R"]
        return found

    def arrivals(self) -> int:
        """Arrivals that every learner has finished."""
        return min((len(self.rows(name)) - 1 for name in self.results["learners"]), default=0)


def difference(a: Side, b: Side) -> dict[str, Any]:
    """All that differs, and what can be set side by side, as one plain document."""
    learners, tasks = (shared(a.results[key], b.results[key]) for key in ("learners", "tasks"))
    settings = unlike(a.settings, b.settings)
    inputs = unlike(inputs_of(a, tasks["both"]), inputs_of(b, tasks["both"]))
    told = {entry["name"] for entry in settings}
    inputs += [entry for name in learners["both"] for entry in training(a, b, name) if entry["setting"] not in told]
    cells = {name: compared(a, b, name, tasks["both"]) for name in learners["both"]}
    return {
        "a": described(a),
        "b": described(b),
        "settings": settings,
        "inputs": [{key: value for key, value in entry.items() if key != "setting"} for entry in inputs],
        "learners": learners,
        "tasks": tasks,
        "same_order_for": common_start(a, b),
        "cells": cells,
        "metrics": {name: beside(metrics_of(a, name), metrics_of(b, name)) for name in learners["both"]},
        "cost": {name: beside(costs_of(a, name), costs_of(b, name)) for name in learners["both"]},
        "same": {
            "settings": not settings,
            "inputs": not inputs,
            "learners": not (learners["only_a"] or learners["only_b"]),
            "tasks": not (tasks["only_a"] or tasks["only_b"]),
            "cells": not any(found["differ"] for found in cells.values()),
        },
    }


def described(side: Side) -> dict[str, Any]:
    results = side.results
    return {
        "folder": side.folder,
        "suite": results["suite"],
        "tasks": len(results["order"]),
        "arrivals": side.arrivals(),
        "learners": len(results["learners"]),
        "ledger": side.logits is not None,
    }


def shared(a: Values, b: Values) -> dict[str, list[str]]:
    """Names in both, in the order of the first; and in one only."""
    return {
        "both": [name for name in a if name in b],
        "only_a": [name for name in a if name not in b],
        "only_b": [name for name in b if name not in a],
    }


def unlike(a: Values, b: Values) -> list[dict[str, Any]]:
    """Entries that differ, None where one has none."""
    names = [name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name)]
    return [{"name": name, "a": a.get(name), "b": b.get(name), "setting": name} for name in names]


def inputs_of(side: Side, tasks: Sequence[str]) -> dict[str, Any]:
    """What the results rest on beside the settings: backbone, data, versions and arithmetic."""
    results = side.results
    found = {f"backbone {name}": value for name, value in results["backbone"].items() if name != "name"}
    for task in tasks:
        facts = results["tasks"][task]
        found[f"data of {task}"] = facts.get("data_id")
        found |= {f"{fact} of {task}": facts.get(fact) for fact in FACTS}
    return found | dict(results.get("environment") or {})


def training(a: Side, b: Side, learner: str) -> list[dict[str, Any]]:
    """Settings of a learner's training that differ."""
    one, other = (side.results["learners"][learner].get("training") or {} for side in (a, b))
    return [entry | {"name": f"{entry['name']} of {learner}"} for entry in unlike(one, other)]


def common_start(a: Side, b: Side) -> int:
    """For how many arrivals both have the same tasks in the same order."""
    pairs = list(zip(a.results["order"], b.results["order"], strict=False))
    return next((index for index, (one, other) in enumerate(pairs) if one != other), len(pairs))


def pairs(a: Side, b: Side, tasks: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Cells that may be set side by side: arrival in each run, and the task.

    Rows before training, and those after the same arrivals in the same order; from there on, each task on the day it
    was learned, which for an isolated learner does not depend on the order.
    """
    start, place, other = common_start(a, b), a.place, b.place
    yield from ((0, 0, task) for task in tasks)
    yield from ((arrival, arrival, task) for arrival in range(1, start + 1) for task in tasks)
    yield from ((place[task], other[task], task) for task in tasks if place[task] > start)


def compared(a: Side, b: Side, learner: str, tasks: Sequence[str]) -> dict[str, Any]:
    """Cells of R of one learner: how many are the same number, and those that are not; logits and Deltas, bit for bit.

    A cell counts if both runs came so far and one at least has a score; a failed fit leaves none.
    """
    ours, theirs = a.rows(learner), b.rows(learner)
    place, other = a.place, b.place
    differing: list[dict[str, Any]] = []
    logits: list[bool | None] = []
    for i, j, task in pairs(a, b, tasks):
        if i >= len(ours) or j >= len(theirs):
            continue
        one, two = ours[i][place[task] - 1], theirs[j][other[task] - 1]
        # A task still to come is evaluated in some runs only, by choice.
        if (one is None and two is None) or (None in (one, two) and (i < place[task] or j < other[task])):
            continue
        ids = [(side.logits or {}).get((learner, k, task)) for side, k in ((a, i), (b, j))]
        same = ids[0] == ids[1] if None not in ids else None
        logits.append(same)
        if one != two:
            change = None if one is None or two is None else two - one
            differing.append(
                {"arrival_a": i, "arrival_b": j, "task": task, "a": one, "b": two, "difference": change, "logits": same}
            )
    changes = [abs(cell["difference"]) for cell in differing if cell["difference"] is not None]
    both = [key for key in a.deltas or () if key[0] == learner and key in (b.deltas or {})]
    return {
        "compared": len(logits),
        "equal": len(logits) - len(differing),
        "differ": len(differing),
        "largest": max(changes, default=None if differing else 0.0),
        "logits": {"told": sum(same is not None for same in logits), "equal": sum(same is True for same in logits)},
        "deltas": {"told": len(both), "equal": sum((a.deltas or {})[key] == (b.deltas or {})[key] for key in both)},
        "differing": differing,
    }


def metrics_of(side: Side, learner: str) -> Values:
    metrics: Values = side.results["learners"][learner]["metrics"]
    return metrics


def costs_of(side: Side, learner: str) -> dict[str, Any]:
    """The account after the last arrival; of what each task has, the mean."""
    cost = side.results["learners"][learner]["cost"]
    found = {name: cost[name][-1] if cost[name] else None for name in ("growth", "growth_without_heads")}
    for name in ("trained_parameters_per_task", "bytes_per_task"):
        values = [*cost[name].values()]
        found[name] = sum(values) / len(values) if values else None
    return found | {name: cost.get(name) for name in COSTS}


def beside(a: Values, b: Values) -> dict[str, dict[str, float | None]]:
    """Figures side by side, and the second less the first where both are known."""
    found = {}
    for name in dict.fromkeys((*a, *b)):
        one, other = a.get(name), b.get(name)
        found[name] = {"a": one, "b": other, "difference": None if one is None or other is None else other - one}
    return found
