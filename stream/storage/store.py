"""The store: Deltas by content id, finished fits by recipe id, shared by all runs that name it, at once if need be.

store/deltas/<content id>.safetensors
store/fits/<recipe id>.json      {"record": {...}, "check": content id of the record}
store/locks/NN.lock              is locked while a recipe that begins with NN is being fitted
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import JsonValue

from learners.delta.delta import Delta, load_delta, load_head, save_delta
from stream.storage.fits import FitResult, LearnedTask, Recipe, recipe_id
from stream.storage.plain import NotOurs, plain, read
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic

Record = dict[str, JsonValue]


def record_text(record: Record) -> str:
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

    def get_delta(self, fit: LearnedTask) -> Delta:
        """The Delta of a fit, its content checked.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_delta(self.delta_path(fit.delta), fit.delta, fit.digests)

    def get_head(self, fit: LearnedTask) -> Delta:
        """The head of a fit's Delta, its content checked, without reading the body.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_head(self.delta_path(fit.delta), fit.digests)

    def put_fit(self, recipe: Recipe, fit: FitResult) -> None:
        write_atomic(self.fit_path(recipe.id), record_text({"recipe": plain(recipe), **plain(fit)}))

    def get_fit(self, recipe: str) -> FitResult | None:
        """The finished fit of a recipe if its Delta is there too, or None.

        Raises:
            InputError: A damaged record.
        """
        path = self.fit_path(recipe)
        try:
            fit = fit_of(read_record(path), path)
        except FileNotFoundError:
            return None
        return fit if self.delta_path(fit.delta).exists() else None

    @contextmanager
    def sole_fitter(self, recipe: str) -> Iterator[None]:
        """Keep other processes, of this run or another, from fitting a recipe meanwhile; they wait. A crash lets go."""
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        # One file for each recipe, by hash; of two recipes with one file, one waits for the other in vain.
        with FileLock(locks / f"{recipe[:2]}.lock"):
            yield


def read_record(path: Path) -> Record:
    """The record of a fit as it was written: its recipe, and the entries of a `FitResult`.

    Raises:
        FileNotFoundError: There is none.
        InputError: It is not what was written.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        record: Record = found["record"]
        if set(found) != {"record", "check"} or found["check"] != _check(record):
            raise ValueError("its content is not the one its check is of")
        return record
    except (ValueError, TypeError, KeyError, RecursionError) as error:  # not JSON, or not a record
        raise _damaged(path, error) from None


def fit_of(record: Record, path: Path) -> FitResult:
    """The fit that a record is of.

    Raises:
        InputError: It is not what a fit leaves.
    """
    try:
        return read(FitResult, record)
    except NotOurs as error:
        raise _damaged(path, error) from None


def recipe_of(record: Record, path: Path) -> Recipe:
    """What the fit of a record rests on.

    Raises:
        InputError: It is not what a fit leaves.
    """
    try:
        return read(Recipe, record.get("recipe"))
    except NotOurs as error:
        raise _damaged(path, error) from None


def written_recipe_id(record: Record) -> str:
    """Id of the recipe in a record, of all that it holds.

    Raises:
        ValueError: There is none.
    """
    recipe = record.get("recipe")
    if not isinstance(recipe, dict):
        raise ValueError("a record without a recipe")
    return recipe_id(recipe)


def _damaged(path: Path, error: Exception) -> InputError:
    found = f"{type(error).__name__}: {error}"[:200]
    return InputError("damaged record", where=str(path), found=found, fix="delete it and run again")


def unreachable(store: Store, deltas: Iterable[str], recipes: Iterable[str]) -> list[Path]:
    """Files of a store that no run needs: Deltas and records not among those given, and what crashes left half-written.

    Args:
        deltas: Content ids that the ledgers of all runs on the store name.
        recipes: Recipe ids of their fits.
    """
    needed = {store.delta_path(delta) for delta in deltas} | {store.fit_path(recipe) for recipe in recipes}
    kept = (path for folder in ("deltas", "fits") for path in sorted((store.root / folder).glob("*")))
    return [path for path in kept if path not in needed]


def _check(record: Record) -> str:
    return content_id("record", canonical(record))
