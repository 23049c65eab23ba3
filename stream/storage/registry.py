"""The runs that use a shared store: each registers in it, so that `taskstream gc` keeps what it needs.

STORE/runs/<id of both values>.json     {"run": absolute path of the run's folder, "began": id of its first event}

Both values name the run: a folder may be moved, and another run may begin where it was. The run whose folder contains
the store needs no entry. Entries of earlier versions are named by the path alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from stream.storage.files import write_json
from stream.storage.ledger import first_event
from tasks.content import canonical, content_id
from tasks.errors import InputError, unknown_name

RUNS = "runs"


@dataclass(frozen=True)
class Registered:
    """A run that registered in a store.

    Attributes:
        entry: Path of its file in the store.
        run: Path of the run's folder when it registered.
        began: Id of the first event of its ledger. It stays the same if the folder is moved.
    """

    entry: Path
    run: Path
    began: str

    @property
    def gone(self) -> bool:
        """Whether the run is not in the folder any more: it was moved or deleted, also if another run is there now.

        A ledger that cannot be read, or has no event yet, may be that of the run.
        """
        if not (self.run / "ledger.jsonl").is_file():
            return True
        try:
            return began_of(self.run) not in ("", self.began)
        except (InputError, OSError):
            return False


def register(store: Path, run: Path, first: JsonValue) -> None:
    """Registers a run in its store. Removes its other entries whose folder it has left, and those of earlier versions.

    Other entries that cannot be read do not matter here; `gc` refuses them.

    Args:
        store: Folder of the store.
        run: Folder of the run.
        first: First event of its ledger.
    """
    folder, root = run.resolve(), store.resolve()
    if root == folder / "store":
        return
    began = content_id("began", canonical(first))
    entry = root / RUNS / f"{content_id('run', canonical([str(folder), began]))[:16]}.json"
    write_json(entry, {"run": str(folder), "began": began})
    for path in (root / RUNS).glob("*.json"):
        with suppress(InputError, OSError):
            other = _registered(path)
            if other and path != entry and other.began == began and (other.run == folder or other.gone):
                path.unlink()


def registered_runs(store: Path) -> list[Registered]:
    """Returns the runs that registered in a store.

    Raises:
        InputError: An entry is damaged.
    """
    found = map(_registered, sorted((store / RUNS).glob("*.json")))
    return [each for each in found if each is not None]


def _registered(entry: Path) -> Registered | None:
    """Returns the run that an entry names; None if its run has removed the entry meanwhile."""
    try:
        values = json.loads(entry.read_text(encoding="utf-8"))
        return Registered(entry, Path(values["run"]), str(values["began"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        fix = "remove it, and give the command of the run again: it registers again"
        raise InputError("damaged entry of a run in a store", where=str(entry), found=str(error), fix=fix) from None


def runs_using(store: Path, others: Iterable[Path] = ()) -> list[Path]:
    """Returns the folders of the runs that a store knows: the run that contains it, and the registered ones.

    Args:
        others: Folders of other runs that use it; one of them may be a moved one. Default: none.

    Raises:
        InputError: A registered run is gone and no other one has its first event, or an entry is damaged.
    """
    registered = registered_runs(store)
    inside = [store.parent] if store.name == "store" and (store.parent / "ledger.jsonl").is_file() else []
    present = [*inside, *(each.run for each in registered if not each.gone)]
    moved = {began_of(folder) for folder in (*present, *others)}
    for each in registered:
        if each.gone and each.began not in moved:
            what = f"a run that uses this store is gone: {each.run}"
            what += " (another run is there now)" if (each.run / "ledger.jsonl").is_file() else ""
            fix = f"moved: give its command with its new --out; deleted: taskstream gc {store} --forget {each.run}"
            raise InputError(what, where=str(store), fix=fix)
    return present


def began_of(run: Path) -> str:
    """Returns the id of the first event of a run's ledger; "" if it has none.

    Raises:
        InputError: The first event is damaged.
        OSError: There is no ledger, or it cannot be read.
    """
    first = first_event(run / "ledger.jsonl")
    return content_id("began", canonical(first)) if first else ""


def forget(store: Path, name: str) -> None:
    """Removes the entry of a run that is gone; all such entries if several runs were in one folder.

    Args:
        name: Path of the run's folder, or the name of the folder.

    Raises:
        InputError: No such run is registered, several are, or the run is still there.
    """
    registered = registered_runs(store)
    named = [each for each in registered if each.run in (Path(name).absolute(), Path(name).resolve())]
    named = named or [each for each in registered if each.run.name == name]
    if not registered:
        raise InputError("no run is registered in this store", where=str(store), found=f"--forget {name}")
    if not named:
        known = [each.run.name for each in registered]
        raise unknown_name("run of this store", Path(name).name, known, where=f"--forget {name}")
    paths = [*dict.fromkeys(str(each.run) for each in named)]
    if len(paths) > 1:
        raise InputError("several runs have this name", where="--forget", found=", ".join(paths), fix="give its path")
    gone = [each for each in named if each.gone]
    if not gone:
        what, fix = "this run is still there, and needs its fits", "delete its folder first"
        raise InputError(what, where=f"--forget {paths[0]}", fix=fix)
    for each in gone:
        each.entry.unlink(missing_ok=True)
