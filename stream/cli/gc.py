"""`taskstream gc FOLDER...`: list or delete the files of a store that none of its runs needs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from stream.report import make_console
from stream.report.console import page_of
from tasks.errors import InputError

DAY = 86_400  # seconds; an incomplete file that is younger may belong to a run that is writing it


@dataclass(frozen=True)
class Garbage:
    """Files of one store that may be deleted.

    Attributes:
        store: Path of the store.
        runs: Folders of the runs that are known to use it.
        files: Path and number of bytes of each file that none of these runs needs.
        kept: Number of files that the runs need.
    """

    store: Path
    runs: tuple[str, ...]
    files: tuple[tuple[Path, int], ...]
    kept: int

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files)


def gc(folders: Sequence[Path], delete: bool, display: str, forgotten: Sequence[str] = ()) -> None:
    """List the files that no run needs, or delete them.

    Args:
        folders: Folders of runs, of studies, and of stores.
        forgotten: Runs of the stores that are gone, by path or name; see `stream.storage.registry.forget`.

    Raises:
        InputError: A folder contains no run and no store, a damaged ledger or unreadable settings, a run has not ended,
            or a run of a store is gone.
    """
    from stream.storage.files import sole_writer

    stores = stores_of(folders, forgotten)
    with ExitStack() as locks:
        for folder in dict.fromkeys(folder for runs in stores.values() for folder in runs):
            path = folder / "ledger.jsonl"
            try:
                locks.enter_context(sole_writer(path))
            except OSError as error:
                what, why = "cannot check whether a run is active here", error.strerror or type(error).__name__
                raise InputError(what, where=str(path), found=why) from None
        found = collect(stores)
        if delete:
            for path in (path for garbage in found for path, _ in garbage.files):
                path.unlink(missing_ok=True)
    if display == "json":
        print(json.dumps({"deleted": delete, "stores": [_plain(garbage) for garbage in found]}))
    elif display != "none":
        _print(found, delete, make_console(display))


def stores_of(folders: Sequence[Path], forgotten: Sequence[str] = ()) -> dict[Path, list[Path]]:
    """The stores of the given runs and the given stores, each with the folders of all runs that are known to use it.

    Raises:
        InputError: As for `gc`.
    """
    from stream.config.resolve import resolve_config
    from stream.storage.registry import forget, registered_runs, runs_using
    from stream.study.study import stores_beside

    named: dict[Path, list[Path]] = {}
    for folder in dict.fromkeys(run for given in folders for run in _runs_in(given)):
        if (folder / "ledger.jsonl").is_file():
            config, _ = resolve_config({}, folder / "config.toml")
            inside = next((each for each in stores_beside(folder) if each.is_dir()), folder / "store")
            root = config.store_folder if config.store and not inside.is_dir() else inside
            named.setdefault(root.resolve(), []).append(folder)
        elif any((folder / name).is_dir() for name in ("fits", "deltas")):
            named.setdefault(folder.resolve(), [])
        else:
            expected = "ledger.jsonl, or the folders fits and deltas of a store"
            raise InputError("no run here", where=str(folder), expected=expected, fix="taskstream list runs")
    for name in forgotten:
        owners = [root for root in named if any(name in (str(x.run), x.run.name) for x in registered_runs(root))]
        forget((owners or [*named])[0], name)
    for root, runs in named.items():
        paths = {run.resolve() for run in runs}
        runs += [run for run in runs_using(root, paths) if run.resolve() not in paths]
        if not runs:
            fix = "name the folders of the runs that use it"
            raise InputError("no run of this store is known", where=str(root), fix=fix)
    return named


def _runs_in(folder: Path) -> list[Path]:
    """The folders of the begun members of a study; the folder itself if it is no study."""
    from stream.study.members import FILE
    from stream.study.study import read_grid

    if not (folder / FILE).is_file():
        return [folder]
    return [path for each in read_grid(folder) if ((path := folder / each.folder) / "ledger.jsonl").is_file()]


def collect(stores: Mapping[Path, Sequence[Path]], now: float | None = None) -> list[Garbage]:
    """Files that none of the runs needs, one `Garbage` per store.

    A run needs every Delta and recipe that its ledger names, also in superseded events: the user may repeat an earlier
    command. States of paused fits only save time; those of the last day may belong to a search that goes on.

    Args:
        stores: Folders of the runs that use each store.
        now: Current time in seconds since the epoch, to find the age of incomplete files. Default: the clock.

    Raises:
        InputErrors: A damaged ledger.
    """
    from stream.storage.events import Fit, RowEvent, SearchEvent, read_events
    from stream.storage.finished import good
    from stream.storage.ledger import read_ledger
    from stream.storage.scores import loose_scores
    from stream.storage.states import stored_states
    from stream.storage.store import Store, unreachable

    moment = time.time() if now is None else now

    def is_old(path: Path) -> bool:
        return moment - path.stat().st_mtime > DAY

    found = []
    for root, runs in stores.items():
        ledgers = [read_events(read_ledger(folder / "ledger.jsonl")) for folder in runs]
        fits = [event for events in ledgers for event in events if isinstance(event, Fit)]
        trials = [event for events in ledgers for event in events if isinstance(event, SearchEvent)]
        deltas = {fit.delta for fit in good(fits)} | {each.delta for each in trials if each.delta is not None}
        store, recipes = Store(root), {event.recipe for event in (*fits, *trials)}
        rows = (event for events in ledgers for event in events if isinstance(event, RowEvent))
        scored = {cell.delta for row in rows for cell in row.cells}
        unneeded = (*loose_scores(store, scored), *unreachable(store, deltas, recipes))
        loose = [
            *(path for path in unneeded if path.suffix != ".part" or is_old(path)),
            *filter(is_old, stored_states(store)),
        ]
        needed = (*map(store.delta_path, deltas), *map(store.fit_path, recipes))
        files = tuple((path, path.stat().st_size) for path in loose if path.is_file())
        found.append(Garbage(root, tuple(map(str, runs)), files, sum(path.exists() for path in needed)))
    return found


def _plain(garbage: Garbage) -> dict[str, object]:
    return {
        "store": str(garbage.store),
        "runs": list(garbage.runs),
        "files": [{"path": str(path), "bytes": size} for path, size in garbage.files],
        "bytes": garbage.bytes,
        "kept": garbage.kept,
    }


def _print(found: Sequence[Garbage], delete: bool, console: Console) -> None:
    page = page_of(console)
    for garbage in found:
        console.print(Text(page.text(f"store {garbage.store}"), style="bold"), soft_wrap=True)
        for path, size in garbage.files:
            console.print(Text(page.text(f"  {size:>12,} bytes  {path.relative_to(garbage.store)}")), soft_wrap=True)
        done = "deleted" if delete else "not needed"
        console.print(
            f"  {len(garbage.files):,} files {done}, {garbage.bytes:,} bytes; {garbage.kept:,} needed and kept"
        )
    if any(garbage.files for garbage in found) and not delete:
        warning = (
            "Nothing was deleted; add --delete to delete these files. Runs of this version register in a shared store; "
            "name those of earlier versions, or they lose their fits and must repeat them."
        )
        console.print(Text(warning, style="yellow"))
