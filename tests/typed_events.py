"""Events of finished jobs for tests: what a test does not name has a plain value."""

from __future__ import annotations

from typing import Any

from stream.storage.cell import Cell
from stream.storage.events import FailedFitEvent, FitEvent, Header, RowEvent, RowKind
from stream.storage.facts import LedgerFacts
from stream.storage.fits import Failure
from stream.storage.keys import RunInputs


def cell(task: str, score: float | None = 0.5, **given: Any) -> Cell:
    plain: dict[str, Any] = {"n": 4, "logits": "l", "predictions": "p", "delta": "d", "plan": "b", "seconds": 0.5}
    return Cell(**{"task": task, "score": score, "provenance": "measured", **plain, **given})


def row(kind: RowKind, learner: str, arrival: int, cells: list[Cell], certified: int | None = None) -> RowEvent:
    key = f"key of {kind}/{learner}/{arrival}"
    return RowEvent(kind=kind, learner=learner, arrival=arrival, key=key, cells=tuple(cells), certified=certified)


def fit(learner: str, arrival: int, task: str, **given: Any) -> FitEvent:
    sizes = ("parameters", "kept_parameters", "added_parameters", "head_parameters", "bytes", "head_bytes")
    plain: dict[str, Any] = dict.fromkeys(sizes, 0) | {
        "delta": "d", "digests": {}, "validation": (), "losses": (), "best": -1, "flops": 0.0, "examples": 0,
        "seconds": 0.0, "peak_memory_bytes": 0, "recipe": "r", "cached": False,
        "key": f"key of fit/{learner}/{arrival}",
    }  # fmt: skip
    return FitEvent(**{**plain, "learner": learner, "arrival": arrival, "task": task, **given})


def failed_fit(learner: str, arrival: int, task: str, failed: Failure | None = None, **given: Any) -> FailedFitEvent:
    plain: dict[str, Any] = {
        "failed": failed or Failure(type="Diverged", step=1, message=""), "last_good": None, "flops": 0.0,
        "seconds": 0.0, "peak_memory_bytes": 0, "recipe": "r", "cached": False,
        "key": f"key of fit/{learner}/{arrival}",
    }  # fmt: skip
    return FailedFitEvent(**{**plain, "learner": learner, "arrival": arrival, "task": task, **given})


def header() -> Header:
    """Of a call about nothing."""
    inputs = RunInputs(
        backbone="b", files={}, numerics={}, seed=0, train_examples=None, test_examples=None, evaluate="full",
        learners={}, data={},
    )  # fmt: skip
    facts = LedgerFacts(
        suite="", source="", backbone={"name": "b", "id": "b", "parameters": 1}, order=(), seed=0, tasks={},
        settings={}, environment={},
    )  # fmt: skip
    return Header(taskstream="0", lost=(), inputs=inputs, overrides={}, facts=facts, encoded={})
