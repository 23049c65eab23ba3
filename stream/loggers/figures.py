"""Figures of a learner's stream for a log: what a view is told of a run, as named numbers along an axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal

from stream.engine.progress import BeforeDone, FitDone, FitFailed, RowDone
from stream.results.forgetting import RunningScores

Told = FitDone | FitFailed | BeforeDone | RowDone
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
    scores: RunningScores = field(init=False)
    waiting: dict[int, RowDone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scores = RunningScores({task: arrival for arrival, task in enumerate(self.order, start=1)})

    def take(self, event: Told) -> Iterator[tuple[Told, list[Reading]]]:
        """Events that can now be read, each with its readings: this one, the row before any training cell by cell, or a
        row with those that waited for it."""
        if event["event"] == "fit":
            yield event, self.read_fit(event)
        elif event["event"] == "before":  # done once more when tasks are added
            for cell in event["cells"]:
                alone: BeforeDone = {**event, "task": cell["task"], "cells": [cell], "seconds": cell["seconds"]}
                yield alone, self.read_scores(alone, {})
        elif not event["job"].startswith("audit/"):  # which finds the last row once more
            self.waiting[event["arrival"]] = event
        while (row := self.waiting.pop(self.scores.rows + 1, None)) is not None:
            standing = self.standing({cell["task"]: cell["score"] for cell in row["cells"]})
            plain = {"growth": row["growth"], **standing, "evaluate_seconds": row["seconds"]}
            yield row, self.read_scores(row, plain)

    def read_fit(self, event: FitDone | FitFailed) -> list[Reading]:
        """A reading at the arrival, and one for each epoch of the fit."""
        plain: dict[str, float | None] = {"train_seconds": event["seconds"]}
        if "failed" in event:
            self.last |= (known := finite(plain))
            return [Reading("arrival", event["arrival"], known)]
        plain |= {"parameters": event["parameters"], "head_parameters": event["head_parameters"]}
        self.last |= (known := finite({**plain, "bytes": event["bytes"]}))
        readings = [Reading("arrival", event["arrival"], known)]
        for epoch, (loss, score) in enumerate(zip_longest(event["losses"], event["epochs"]), start=1):
            values = {f"train_loss/{event['task']}": loss, f"validation_score/{event['task']}": score}
            readings.append(Reading("epoch", epoch, finite(values)))
        return readings

    def read_scores(self, event: BeforeDone | RowDone, plain: Mapping[str, float | None]) -> list[Reading]:
        by_task = {f"score/{cell['task']}": cell["score"] for cell in event["cells"]}
        self.last |= (known := finite(plain))
        return [Reading("arrival", event["arrival"], known | finite(by_task))]

    def standing(self, scores: Mapping[str, float | None]) -> dict[str, float]:
        """The metrics `average_accuracy` and `forgetting_chaudhry` after the next row, which may be of some tasks only:
        the others are as they were.

        A row in which the task that arrived has no score, as its fit failed, is left out of both; after one in which
        another has none they are not defined.
        """
        if not self.scores.add(scores):
            return {}
        found = {"average_accuracy": self.scores.average, "forgetting_chaudhry": self.scores.forgetting}
        return {name: value for name, value in found.items() if value is not None}


def finite(values: Mapping[str, float | None]) -> dict[str, float]:
    """Those that are numbers."""
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
