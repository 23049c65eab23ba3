"""Scores in a store: the cell that an evaluation measured, under the hash of all its inputs.

Another run on the store with an equal evaluation need not repeat it: its cell is certified by this record. So a
further order of isolated learners evaluates each task again only in its audits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import JsonValue

from stream.storage.cell import Cell
from stream.storage.files import write_json
from stream.storage.plain import FormatError, plain, read
from stream.storage.store import Store
from tasks.content import canonical, content_id


@dataclass(frozen=True)
class Evaluation:
    """All inputs of an evaluation. The cell depends on nothing else, apart from its time.

    Attributes:
        backbone: Content id of the backbone.
        delta: Content id of the Delta.
        learner: Settings of the learner.
        data: Name and content id of the task's data, and what computes its scores.
        test_examples: Most test rows used; None is all.
        data_seed: Seed that draws them where there are more.
        numerics: Everything that may change the last bit of a logit.
    """

    backbone: str
    delta: str
    learner: Mapping[str, JsonValue]
    data: tuple[str, ...]
    test_examples: int | None
    data_seed: int
    numerics: Mapping[str, JsonValue]

    @cached_property
    def id(self) -> str:
        return content_id("evaluation", canonical(plain(self)))


def score_path(store: Store, evaluation: Evaluation) -> Path:
    """Returns the file of the cell of an evaluation."""
    return store.root / "scores" / f"{evaluation.id}.json"


def put_score(store: Store, evaluation: Evaluation, cell: Cell, run: str) -> None:
    """Writes the cell that an evaluation measured.

    Args:
        run: Folder of the run that measured it.
    """
    record = {"run": run, "cell": plain(cell)}
    write_json(score_path(store, evaluation), {**record, "check": _check(evaluation, record)})


def get_score(store: Store, evaluation: Evaluation, run: str = "") -> Cell | None:
    """Returns the cell that another run measured in an equal evaluation; None if there is none, or its file is damaged.

    Args:
        run: Folder of the run that asks. A run that was killed after it measured a cell measures it again, so that it
            has the same provenance as without the kill. Default: no run.
    """
    try:
        found = json.loads(score_path(store, evaluation).read_text(encoding="utf-8"))
        record = {"run": found["run"], "cell": found["cell"]}
        if found["check"] != _check(evaluation, record) or found["run"] == run:
            return None
        return read(Cell, found["cell"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError, FormatError):
        return None


def stored_scores(store: Store, needed: set[str]) -> list[Path]:
    """Returns the files of the scores of Deltas that no run names, sorted by name.

    Args:
        needed: Content ids of all Deltas in the cells of all runs that use the store.
    """
    return [path for path in sorted((store.root / "scores").glob("*")) if _delta_in(path) not in needed]


def _delta_in(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["cell"]["delta"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return ""  # a damaged file, which no run reads


def _check(evaluation: Evaluation, record: Mapping[str, JsonValue]) -> str:
    return content_id("score", evaluation.id, canonical(record))
