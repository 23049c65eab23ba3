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
from stream.storage.plain import plain, read
from stream.storage.store import Store
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic


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
    path = score_path(store, evaluation)
    write_atomic(path, _text(path, run, plain(cell)))


def get_score(store: Store, evaluation: Evaluation, run: str = "") -> Cell | None:
    """Returns the cell that another run measured in an equal evaluation; None if there is none, or its file is damaged.

    Args:
        run: Folder of the run that asks. A run that was killed after it measured a cell measures it again, so that it
            has the same provenance as without the kill. Default: no run.
    """
    try:
        owner, cell = read_score(score_path(store, evaluation))
    except (OSError, InputError):
        return None
    return None if owner == run else cell


def read_score(path: Path) -> tuple[str, Cell]:
    """Returns the folder of the run that measured a cell, and the cell.

    Raises:
        OSError: The file cannot be read.
        InputError: It is not, byte for byte, a file that `put_score` writes under this name.
    """
    try:
        text = path.read_bytes().decode()
        found = json.loads(text)
        if text != _text(path, found["run"], found["cell"]):
            raise ValueError("its check is not the hash of its content")
        return found["run"], read(Cell, found["cell"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        what, fix = "damaged score", "delete the file: the next run evaluates again"
        raise InputError(what, where=str(path), found=f"{type(error).__name__}: {error}"[:200], fix=fix) from None


def score_files(store: Store) -> list[Path]:
    """Returns the files of all scores, sorted by name."""
    return sorted((store.root / "scores").glob("*.json"))


def loose_scores(store: Store, needed: set[str]) -> list[Path]:
    """Returns the files of the scores of Deltas that no run names, also damaged ones and what a crash left, sorted by
    name.

    Args:
        needed: Content ids of all Deltas in the cells of all runs that use the store.
    """
    return [path for path in sorted((store.root / "scores").glob("*")) if _delta_in(path) not in needed]


def _delta_in(path: Path) -> str:
    try:
        return read_score(path)[1].delta
    except (OSError, InputError):
        return ""  # a damaged file, which no run reads


def _text(path: Path, run: str, cell: JsonValue) -> str:
    """Returns the content of the file at this path. Its check covers its name, which is the id of the evaluation."""
    record = {"run": run, "cell": cell}
    check = content_id("score", path.stem, canonical(record))
    return json.dumps({**record, "check": check}, ensure_ascii=False, allow_nan=False) + "\n"
