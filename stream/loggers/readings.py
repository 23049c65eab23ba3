"""Turns the events of a run into readings for a log: named numbers along an axis, for each learner."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from stream.engine.progress import BeforeDone, FitDone, FitFailed, RowDone
from stream.results.forgetting import RunningScores

JobResult = FitDone | FitFailed | BeforeDone | RowDone
Axis = Literal["arrival", "epoch"]
# The axis of a number, by its name up to the slash. All other numbers have the axis `arrival`.
AXES: Mapping[str, Axis] = {"train_loss": "epoch", "validation_score": "epoch"}


@dataclass(frozen=True)
class Reading:
    """The numbers at one point of an axis.

    Attributes:
        axis: `arrival` or `epoch`.
        at: Number of arrivals so far (0 is before any training), or number of epochs of a fit.
        values: The numbers by name. A number of one task has the task after a slash: `score/cola`.
    """

    axis: Axis
    at: int
    values: Mapping[str, float]


@dataclass(eq=False)
class LearnerReadings:
    """The readings of one learner. Rows are read in order of arrival, even if they were finished in another order.

    Attributes:
        order: Tasks in order of arrival.
        last: The latest value of each number that is not of one task.
        scores: Average accuracy and forgetting of the rows so far.
        waiting: Finished rows that wait for an earlier row, by arrival.
    """

    order: Sequence[str]
    last: dict[str, float] = field(default_factory=dict)
    scores: RunningScores = field(init=False)
    waiting: dict[int, RowDone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scores = RunningScores({task: arrival for arrival, task in enumerate(self.order, start=1)})

    def take(self, event: JobResult) -> Iterator[tuple[JobResult, list[Reading]]]:
        """Takes an event. Returns the events that can be read now, each with its readings.

        A fit can be read at once. The row before any training is split into one event per cell. A later row must wait
        for the rows before it; it is then followed by the rows that waited for it.
        """
        if event["event"] == "fit":
            yield event, self.read_fit(event)
        elif event["event"] == "before":  # split, because added tasks lead to another such row
            for cell in event["cells"]:
                single: BeforeDone = {**event, "task": cell["task"], "cells": [cell], "seconds": cell["seconds"]}
                yield single, self.read_scores(single, {})
        elif not event["job"].startswith("audit/"):  # the final audit repeats the last row
            self.waiting[event["arrival"]] = event
        while (row := self.waiting.pop(self.scores.rows + 1, None)) is not None:
            metrics = self.metrics({cell["task"]: cell["score"] for cell in row["cells"]})
            values = {"growth": row["growth"], **metrics, "evaluate_seconds": row["seconds"]}
            yield row, self.read_scores(row, values)

    def read_fit(self, event: FitDone | FitFailed) -> list[Reading]:
        """Returns one reading at the arrival, and one for each epoch of the fit."""
        values: dict[str, float | None] = {"train_seconds": event["seconds"]}
        if "failed" in event:
            self.last |= (numbers := finite(values))
            return [Reading("arrival", event["arrival"], numbers)]
        values |= {"parameters": event["parameters"], "head_parameters": event["head_parameters"]}
        self.last |= (numbers := finite({**values, "bytes": event["bytes"]}))
        readings = [Reading("arrival", event["arrival"], numbers)]
        for epoch, (loss, score) in enumerate(zip_longest(event["losses"], event["epochs"]), start=1):
            by_task = {f"train_loss/{event['task']}": loss, f"validation_score/{event['task']}": score}
            readings.append(Reading("epoch", epoch, finite(by_task)))
        return readings

    def read_scores(self, event: BeforeDone | RowDone, values: Mapping[str, float | None]) -> list[Reading]:
        """Returns one reading: `values` and the score of each task in the row."""
        by_task = {f"score/{cell['task']}": cell["score"] for cell in event["cells"]}
        self.last |= (numbers := finite(values))
        return [Reading("arrival", event["arrival"], numbers | finite(by_task))]

    def metrics(self, scores: Mapping[str, float | None]) -> dict[str, float]:
        """Adds the next row, and returns the metrics `average_accuracy` and `forgetting_chaudhry` if they are defined.

        A row may evaluate only some tasks; the other tasks keep their last score. If the new task has no score
        because its fit failed, the row does not count. If another task has no score, the metrics are not defined.
        """
        if not self.scores.add(scores):
            return {}
        values = {"average_accuracy": self.scores.average, "forgetting_chaudhry": self.scores.forgetting}
        return {name: value for name, value in values.items() if value is not None}


def finite(values: Mapping[str, float | None]) -> dict[str, float]:
    """Returns the values that are finite numbers."""
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
