"""Figures of a learner's stream for a log: what a view is told of a run, as named numbers along an axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

Event = Mapping[str, Any]
Axis = Literal["arrival", "epoch"]
AXES: Mapping[str, Axis] = {"train_loss": "epoch", "validation_score": "epoch"}  # of the names up to a slash


@dataclass(frozen=True)
class Reading:
    """Numbers of one moment.

    Attributes:
        at: How many arrivals there have been, 0 before any training; or how many epochs of a fit.
        values: By name. What there is for every task has the task after a slash: `score/cola`.
    """

    axis: Axis
    at: int
    values: Mapping[str, float]


@dataclass(eq=False)
class Figures:
    """Readings of one learner. Its rows are taken in order of arrival, however they were finished.

    Attributes:
        order: Tasks, as they arrive.
        last: The latest number of each name without a task.
    """

    order: Sequence[str]
    last: dict[str, float] = field(default_factory=dict)
    place: dict[str, int] = field(init=False)
    waiting: dict[int, Event] = field(default_factory=dict)
    rows: int = 0
    now: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)  # before the last row

    def __post_init__(self) -> None:
        self.place = {task: arrival for arrival, task in enumerate(self.order, start=1)}

    def take(self, event: Event) -> Iterator[tuple[Event, list[Reading]]]:
        """Events that can now be read, each with its readings: this one, the row before any training cell by cell, or a
        row with those that waited for it."""
        match event["event"]:
            case "fit":
                yield event, self.read(event, {})
            case "before":  # done once more when tasks are added
                for cell in event["cells"]:
                    alone = {**event, "task": cell["task"], "cells": [cell], "seconds": cell["seconds"]}
                    yield alone, self.read(alone, {})
            case "row" if not event["job"].startswith("audit/"):  # which finds the last row once more
                self.waiting[event["arrival"]] = event
        while (row := self.waiting.pop(self.rows + 1, None)) is not None:
            self.rows += 1
            yield row, self.read(row, self.standing({cell["task"]: cell["score"] for cell in row["cells"]}))

    def read(self, event: Event, standing: Mapping[str, float]) -> list[Reading]:
        if event["event"] == "fit":
            sizes = ("parameters", "head_parameters", "bytes")
            plain = {"train_seconds": event["seconds"], **{name: event.get(name) for name in sizes}}
            by_task: dict[str, float | None] = {}
        else:
            plain = {"growth": event.get("growth"), **standing}
            if event["event"] == "row":
                plain["evaluate_seconds"] = event["seconds"]
            by_task = {f"score/{cell['task']}": cell["score"] for cell in event["cells"]}
        self.last |= (known := finite(plain))
        readings = [Reading("arrival", event["arrival"], known | finite(by_task))]
        epochs = zip_longest(event.get("losses", ()), event.get("epochs", ()))
        for epoch, (loss, score) in enumerate(epochs, start=1):
            values = {f"train_loss/{event['task']}": loss, f"validation_score/{event['task']}": score}
            readings.append(Reading("epoch", epoch, finite(values)))
        return readings

    def standing(self, scores: Mapping[str, float | None]) -> dict[str, float]:
        """The metrics `average_accuracy` and `forgetting_chaudhry` after the next row, which may be of some tasks only:
        the others are as they were.

        A row in which the task that arrived has no score, as its fit failed, is left out of both; after one in which
        another has none they are not defined.
        """
        arrived = {task: score for task, score in scores.items() if self.place[task] <= self.rows}
        if arrived.get(self.order[self.rows - 1]) is None:
            return {}
        for task, score in arrived.items():
            if score is not None and (task in self.now or self.place[task] == self.rows):
                if task in self.now:
                    self.best[task] = max(self.best.get(task, -math.inf), self.now[task])
                self.now[task] = score
        if any(score is None and task in self.now for task, score in arrived.items()):
            return {}
        found = {"average_accuracy": math.fsum(self.now.values()) / len(self.now)}
        if len(self.now) > 1:
            lost = math.fsum(best - self.now[task] for task, best in self.best.items())
            found["forgetting_chaudhry"] = lost / (len(self.now) - 1)
        return found


def finite(values: Mapping[str, float | None]) -> dict[str, float]:
    """Those that are numbers."""
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
