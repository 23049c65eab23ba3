"""A cell of R: a score, the ids of all that it rests on, and how it was obtained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["measured", "certified", "audited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a learner answers to all test rows of a task.

    Attributes:
        score: In the task's metric, a fraction; None where a logit is not finite, for which no metric is defined.
        n: Rows scored.
        logits, predictions: Content ids of the logits' and the answers' bytes, in row order.
        delta, plan: Ids of the Delta and of the batch plan used.
    """

    task: str
    score: float | None
    n: int
    logits: str
    predictions: str
    delta: str
    plan: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Score):
    """A score as a cell of R: `audited` where a certificate could stand in its place, else `measured`. No cell that was
    run is `certified`."""

    provenance: Provenance
