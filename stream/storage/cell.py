"""A cell of R: a score, the ids of its inputs and outputs, and the way it was obtained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Provenance = Literal["measured", "certified", "audited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The score of a learner on all test rows of a task.

    Attributes:
        score: Value of the task's metric, as a fraction. None if a logit is not finite: no metric is defined then.
        n: Number of rows scored.
        logits, predictions: Content ids of the bytes of logits and predictions, in row order.
        delta, plan: Ids of the Delta and of the batch plan used.
        seconds: Time that the evaluation took.
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
    """A score as a cell of R.

    Attributes:
        provenance: `audited` if a certificate could replace the evaluation, else `measured`. A cell that was evaluated
            is never `certified`: certified cells are not evaluated and not written to the ledger.
    """

    provenance: Provenance
