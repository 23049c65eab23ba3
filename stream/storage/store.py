"""The store: Deltas by content id, finished fits by recipe id, shared by all runs that name it, at once if need be.

store/deltas/<content id>.safetensors
store/fits/<recipe id>.json      {"record": {...}, "check": content id of the record}
store/lock                       byte ranges of it are locked while a recipe is being fitted
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learners.delta.delta import Delta, load_delta, load_head, save_delta
from learners.specification.learner import Learner
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic


def recipe_id(recipe: dict[str, Any]) -> str:
    """Id of a job's inputs, known before it runs: equal recipes need not run twice."""
    return content_id("recipe", canonical(recipe))


def fit_recipe(
    *,
    backbone: str,
    data: str,
    learner: Mapping[str, Any],
    task: str,
    seed: int,
    train_examples: int | None,
    test_examples: int | None,
    previous: str | None,
    numerics: Mapping[str, Any],
    met: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The recipe of a fit: all that its Delta depends on, for who fits and for who checks.

    Args:
        backbone, data: Content ids.
        learner: Its settings.
        previous: Content id of the Delta that a sequential learner goes on from.
        met: What else the learner met, where the Delta does not say it (`history`); no part of other recipes.
    """
    recipe = dict(locals())
    if met is None:
        del recipe["met"]
    return recipe


def history(learner: Learner, before: Sequence[Mapping[str, Any]], data: Mapping[str, str]) -> dict[str, Any] | None:
    """What a learner met that keeps more than its last Delta: all good fits before with their data, and all tasks of
    the stream where it foresees them; None of other learners.

    Args:
        before: Records of the good fits before.
        data: Content id of the data of each task of the stream, in order of arrival.
    """
    if not learner.avalanche:
        return None
    foreseen = [[task, found] for task, found in data.items()] if learner.foresees else []
    return {"learned": [[fit["task"], data[fit["task"]], fit["delta"]] for fit in before], "foreseen": foreseen}


def record_text(record: dict[str, Any]) -> str:
    """The file of a fit's record, byte for byte."""
    return json.dumps({"record": record, "check": _check(record)}, ensure_ascii=False, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Store:
    """A folder of results. A lost or damaged entry costs a fit, never correctness."""

    root: Path

    def delta_path(self, delta_id: str) -> Path:
        return self.root / "deltas" / f"{delta_id}.safetensors"

    def fit_path(self, recipe: str) -> Path:
        return self.root / "fits" / f"{recipe}.json"

    def put_delta(self, delta: Delta) -> int:
        """Keep a Delta, in place of a damaged file of its name if there is one; returns its bytes on disk."""
        path = self.delta_path(delta.id)
        if path.exists():
            with suppress(InputError):
                load_delta(path, delta.id)
                return path.stat().st_size
        return save_delta(delta, path)

    def get_delta(self, record: dict[str, Any]) -> Delta:
        """The Delta of a fit record, its content checked.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_delta(self.delta_path(record["delta"]), record["delta"], record["digests"])

    def get_head(self, record: dict[str, Any]) -> Delta:
        """The head of a fit record's Delta, its content checked, without reading the body.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_head(self.delta_path(record["delta"]), record["digests"])

    def put_fit(self, recipe: str, record: dict[str, Any]) -> None:
        write_atomic(self.fit_path(recipe), record_text(record))

    def get_fit(self, recipe: str) -> dict[str, Any] | None:
        """The record of a finished fit whose Delta is there, or None.

        Raises:
            InputError: A damaged record.
        """
        path = self.fit_path(recipe)
        try:
            record = read_record(path)
        except FileNotFoundError:
            return None
        return record if self.delta_path(record["delta"]).exists() else None

    @contextmanager
    def sole_fitter(self, recipe: str) -> Iterator[None]:
        """Keep other processes, of this run or another, from fitting a recipe meanwhile; they wait. A crash lets go."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a+b") as file:
            # One byte for each recipe, by hash; two recipes on one byte would wait for each other in vain.
            fcntl.lockf(file, fcntl.LOCK_EX, 1, int(recipe[:14], 16))
            yield


def read_record(path: Path) -> dict[str, Any]:
    """The record of a fit.

    Raises:
        FileNotFoundError: There is none.
        InputError: It is not what was written.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        record: dict[str, Any] = found["record"]
        if set(found) != {"record", "check"} or found["check"] != _check(record):
            raise ValueError("its content is not the one its check is of")
        return record
    except (ValueError, TypeError, KeyError, RecursionError) as error:  # not JSON, or not a record
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("damaged record", where=str(path), found=found, fix="delete it and run again") from None


def unreachable(store: Store, deltas: Iterable[str], recipes: Iterable[str]) -> list[Path]:
    """Files of a store that no run needs: Deltas and records not among those given, and what crashes left half-written.

    Args:
        deltas: Content ids that the ledgers of all runs on the store name.
        recipes: Recipe ids of their fits.
    """
    needed = {store.delta_path(delta) for delta in deltas} | {store.fit_path(recipe) for recipe in recipes}
    kept = (path for folder in ("deltas", "fits") for path in sorted((store.root / folder).glob("*")))
    return [path for path in kept if path not in needed]


def _check(record: dict[str, Any]) -> str:
    return content_id("record", canonical(record))
