"""A cell of R: a score, the ids of its inputs and outputs, and the way it was obtained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stream.storage.plain import ABSENT

Provenance = Literal["measured", "partly-measured", "certified", "audited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The score of a learner on all test rows of a task.

    Attributes:
        score: Value of the task's metric, as a fraction. None if a logit is not finite: no metric is defined then.
        n: Number of rows scored.
        logits, predictions: Content ids of the bytes of logits and predictions, in row order.
        delta, plan: Ids of the Delta and of the batch plan used.
        seconds: Time that the evaluation took.
        provenance: `certified` if another run on the store has measured an equal evaluation (`stream.storage.scores`),
            or a cell of an earlier row is the same: such a cell of a row is not written to the ledger. `measured` if
            this evaluation ran every layer; `partly-measured` if it ran only the layers from the first one that the
            learner changes, because an earlier evaluation of the run had kept the output of the layers below;
            `audited` if it ran every layer where a certificate could replace it.
        error: Standard error of the score over test rows (`tasks.standard_error`). None (default, not written) if there
            is no score, or if an earlier version wrote the cell.
    """

    task: str
    score: float | None
    n: int
    logits: str
    predictions: str
    delta: str
    plan: str
    seconds: float
    provenance: Provenance
    error: float | None = field(default=None, metadata=ABSENT)
