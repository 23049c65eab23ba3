"""`taskstream gc FOLDER...`: list or delete the files of a store that none of the given runs needs."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
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
        runs: Folders of the given runs that use it.
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


def gc(folders: Sequence[Path], delete: bool, display: str) -> None:
    """List the files that no run needs, or delete them.

    Raises:
        InputError: A folder contains no run, a damaged ledger or unreadable settings, or its run has not ended.
    """
    from stream.storage.files import sole_writer

    with ExitStack() as locks:
        for folder in dict.fromkeys(folders):
            path = folder / "ledger.jsonl"
            if not path.is_file():
                raise InputError("no run here", where=str(folder), expected="ledger.jsonl", fix="taskstream list runs")
            try:
                locks.enter_context(sole_writer(path))
            except OSError as error:
                what, why = "cannot check whether a run is active here", error.strerror or type(error).__name__
                raise InputError(what, where=str(path), found=why) from None
        found = collect(folders)
        if delete:
            for path in (path for garbage in found for path, _ in garbage.files):
                path.unlink(missing_ok=True)
    if display == "json":
        print(json.dumps({"deleted": delete, "stores": [_plain(garbage) for garbage in found]}))
    elif display != "none":
        _print(found, delete, make_console(display))


def collect(folders: Sequence[Path], now: float | None = None) -> list[Garbage]:
    """Files that none of these runs needs, one `Garbage` per store.

    A run needs every Delta and recipe that its ledger names, also in superseded events: the user may repeat an earlier
    command.

    Args:
        folders: Folders of the runs.
        now: Current time in seconds since the epoch, to find the age of incomplete files. Default: the clock.

    Raises:
        InputErrors: Unreadable settings or a damaged ledger.
    """
    from stream.config.resolve import resolve_config
    from stream.storage.events import Fit, read_events
    from stream.storage.finished import good
    from stream.storage.ledger import read_ledger
    from stream.storage.store import Store, unreachable

    moment = time.time() if now is None else now
    runs: dict[Path, list[tuple[str, list[Fit]]]] = {}
    for folder in dict.fromkeys(folders):
        config, _ = resolve_config({}, folder / "config.toml")
        inside = folder / "store"
        root = config.store_folder if config.store and not inside.is_dir() else inside
        fits = [event for event in read_events(read_ledger(folder / "ledger.jsonl")) if isinstance(event, Fit)]
        runs.setdefault(root.resolve(), []).append((str(folder), fits))
    found = []
    for root, entries in runs.items():
        fits = [fit for _, events in entries for fit in events]
        deltas = {fit.delta for fit in good(fits)}
        store, recipes = Store(root), {fit.recipe for fit in fits}
        loose = [
            path
            for path in unreachable(store, deltas, recipes)
            if path.suffix != ".part" or moment - path.stat().st_mtime > DAY
        ]
        needed = (*map(store.delta_path, deltas), *map(store.fit_path, recipes))
        files = tuple((path, path.stat().st_size) for path in loose if path.is_file())
        found.append(Garbage(root, tuple(run for run, _ in entries), files, sum(path.exists() for path in needed)))
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
            "Nothing was deleted; add --delete to delete these files. Name every run that shares the store: a run that "
            "is not named loses its fits and must repeat them."
        )
        console.print(Text(warning, style="yellow"))
