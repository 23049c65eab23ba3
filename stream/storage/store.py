"""The store: files of Deltas by content id, and files of finished fits by recipe id.

Several runs may use one store, also at the same time.

store/deltas/<content id>.safetensors
store/fits/<recipe id>.json      {"record": {...}, "check": content id of the record}
store/states/                    paused fits, which only save time; see `stream.storage.states`
store/damaged/                   files that were damaged when a job read them; nothing reads them again
store/runs/                      the runs of other folders that use the store; see `stream.storage.registry`
store/locks/NNN.lock             locked while a fit runs whose recipe id begins with NNN
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import JsonValue

from learners.delta.delta import Delta, is_whole, load_delta, load_head, save_delta
from stream.storage.fits import FitResult, LearnedTask, Recipe, recipe_id
from stream.storage.plain import FormatError, plain, read
from tasks.content import canonical, content_id
from tasks.errors import InputError
from tasks.files import write_atomic

Record = dict[str, JsonValue]


class DamagedEntry(InputError):
    """A file of the store is missing or damaged. Its fit must be done again.

    Attributes:
        path: The file.
        delta: Content id of the Delta that the file should hold; None for the record of a fit.
    """

    def __init__(self, error: InputError, path: Path, delta: str | None = None) -> None:
        super().__init__(error.what, where=error.where, expected=error.expected, found=error.found, fix=error.fix)
        self.path, self.delta = path, delta


def record_text(record: Record) -> str:
    """Returns the exact text of the file of a fit's record."""
    return json.dumps({"record": record, "check": _check(record)}, ensure_ascii=False, allow_nan=False) + "\n"


LOCK_DIGITS = 3  # of a recipe, in the name of its lock


@dataclass(frozen=True)
class Store:
    """A folder of results. If an entry is missing or damaged, a fit must be run again; results never become wrong.

    Attributes:
        root: Path of the folder.
    """

    root: Path

    def delta_path(self, delta_id: str) -> Path:
        return self.root / "deltas" / f"{delta_id}.safetensors"

    def fit_path(self, recipe: str) -> Path:
        return self.root / "fits" / f"{recipe}.json"

    def put_delta(self, delta: Delta) -> int:
        """Writes a Delta if the store does not have it, or has a damaged file of this name.

        Returns:
            Size of the file in bytes.
        """
        path = self.delta_path(delta.id)
        if path.exists():
            with suppress(InputError):
                load_delta(path, delta.id)
                return path.stat().st_size
        return save_delta(delta, path)

    def get_delta(self, fit: LearnedTask) -> Delta:
        """Returns the Delta of a fit and checks its content.

        Raises:
            DamagedEntry: The file is missing or changed; the error names the file and the tensor.
        """
        path = self.delta_path(fit.delta)
        try:
            return load_delta(path, fit.delta, fit.digests)
        except InputError as error:
            raise DamagedEntry(error, path, fit.delta) from None

    def get_head(self, fit: LearnedTask) -> Delta:
        """Returns the head of a fit's Delta and checks its content. Does not read the other tensors.

        Raises:
            DamagedEntry: The file is missing or changed; the error names the file and the tensor.
        """
        path = self.delta_path(fit.delta)
        try:
            return load_head(path, fit.digests)
        except InputError as error:
            raise DamagedEntry(error, path, fit.delta) from None

    def put_fit(self, recipe: Recipe, fit: FitResult) -> None:
        """Writes the record of a finished fit."""
        write_atomic(self.fit_path(recipe.id), record_text({"recipe": plain(recipe), **plain(fit)}))

    def get_fit(self, recipe: str) -> FitResult | None:
        """Returns the finished fit of a recipe; None if its record or its Delta is not in the store.

        Args:
            recipe: Id of the recipe.

        Raises:
            DamagedEntry: The record is damaged.
        """
        path = self.fit_path(recipe)
        try:
            fit = fit_of(read_record(path), path)
        except FileNotFoundError:
            return None
        return fit if self.delta_path(fit.delta).exists() else None

    def holds(self, recipe: str, delta: str) -> bool:
        """Whether the store has the intact record of a fit, and its whole Delta. A job checks its content when it reads
        it.

        Args:
            recipe: Id of the recipe.
            delta: Content id of the Delta.
        """
        with suppress(DamagedEntry, FileNotFoundError):
            return bool(read_record(self.fit_path(recipe))) and is_whole(self.delta_path(delta))
        return False

    def put_aside(self, damage: DamagedEntry) -> Path | None:
        """Moves a damaged file to store/damaged, where nothing reads it. Returns its new path; None if it was missing.

        Raises:
            OSError: The file cannot be moved.
        """
        folder = self.root / "damaged"
        folder.mkdir(parents=True, exist_ok=True)
        number, target = 1, folder / damage.path.name
        while target.exists():
            number += 1
            target = folder / f"{damage.path.stem}-{number}{damage.path.suffix}"
        try:
            os.rename(damage.path, target)
        except FileNotFoundError:
            return None
        return target

    @contextmanager
    def sole_fitter(self, *recipes: str) -> Iterator[Callable[[str], None]]:
        """Locks recipes for a `with` block: other processes, of any run, wait before they fit one of them. What the
        block gets unlocks a recipe earlier.

        The system releases the locks if the process crashes.
        """
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            # The first digits choose the file. Two recipes may share a file: then one waits without need. The files
            # have an order, so that two processes cannot wait for each other.
            left = Counter(recipe[:LOCK_DIGITS] for recipe in recipes)
            files = {digits: held.enter_context(FileLock(locks / f"{digits}.lock")) for digits in sorted(left)}

            def done(recipe: str) -> None:
                left[recipe[:LOCK_DIGITS]] -= 1
                if not left[recipe[:LOCK_DIGITS]]:
                    files[recipe[:LOCK_DIGITS]].release()

            yield done


def read_record(path: Path) -> Record:
    """Returns the record of a fit: its recipe, and the entries of a `FitResult`.

    Raises:
        FileNotFoundError: There is no such file.
        InputError: The file is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        record: Record = found["record"]
        if set(found) != {"record", "check"} or found["check"] != _check(record):
            raise ValueError("its check is not the hash of its content")
        return record
    except (ValueError, TypeError, KeyError, RecursionError) as error:  # not JSON, or not a record
        raise _damaged(path, error) from None


def fit_of(record: Record, path: Path) -> FitResult:
    """Returns the fit in a record.

    Args:
        path: Path of the record's file, for the error.

    Raises:
        InputError: A fit does not write such a record.
    """
    try:
        return read(FitResult, record)
    except FormatError as error:
        raise _damaged(path, error) from None


def recipe_of(record: Record, path: Path) -> Recipe:
    """Returns the recipe in a record.

    Args:
        path: Path of the record's file, for the error.

    Raises:
        InputError: A fit does not write such a record.
    """
    try:
        return read(Recipe, record.get("recipe"))
    except FormatError as error:
        raise _damaged(path, error) from None


def written_recipe_id(record: Record) -> str:
    """Returns the id of the recipe in a record, computed from all its entries, also from unknown ones.

    Raises:
        ValueError: The record has no recipe.
    """
    recipe = record.get("recipe")
    if not isinstance(recipe, dict):
        raise ValueError("a record without a recipe")
    return recipe_id(recipe)


def _damaged(path: Path, error: Exception) -> DamagedEntry:
    found = f"{type(error).__name__}: {error}"[:200]
    fix = "give the command of the run again: it puts the file aside"
    return DamagedEntry(InputError("damaged record", where=str(path), found=found, fix=fix), path)


def unreachable(store: Store, deltas: Iterable[str], recipes: Iterable[str]) -> list[Path]:
    """Returns the files of a store that no run needs: other Deltas and records, damaged files, and what a crash left.

    Args:
        deltas: Content ids of all Deltas in the ledgers of all runs that use the store.
        recipes: Recipe ids of all fits in these ledgers.
    """
    needed = {store.delta_path(delta) for delta in deltas} | {store.fit_path(recipe) for recipe in recipes}
    present = (path for folder in ("deltas", "fits", "damaged") for path in sorted((store.root / folder).glob("*")))
    return [path for path in present if path not in needed]


def _check(record: Record) -> str:
    return content_id("record", canonical(record))
