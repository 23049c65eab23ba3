"""`taskstream gc` and searches: a trial is needed, the state of a paused fit is not for long."""

from __future__ import annotations

import os
from pathlib import Path

from stream import run
from stream.cli.gc import collect
from stream.storage.states import put_state, state_path
from stream.storage.store import Store
from tests.runs import events_of, fitted, tiny_settings
from tests.stream.test_states import RECIPE
from tests.stream.test_states import run as paused


def test_gc_keeps_trials_and_deletes_old_states(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    one, other, store = tmp_path / "one", tmp_path / "other", Store(tmp_path / "store")
    given = {"learners": "adapter:2/4:select=halving", "epochs": 3, "store": str(store.root)}
    run(**tiny_settings(tiny_tasks, tiny_backbone, one, **given))
    state = paused(1).state
    assert state is not None
    put_state(store, RECIPE, state)
    files = [path for kind in ("deltas", "fits") for path in (store.root / kind).glob("*")]
    deltas = {event["delta"] for event in events_of(one, "search")}
    assert len(deltas) > len(events_of(one, "fit"))
    (garbage,) = collect({store.root: [one]})
    assert (garbage.files, garbage.kept) == ((), len(files))
    path = state_path(store, RECIPE)
    os.utime(path, (0, 0))
    (garbage,) = collect({store.root: [one]})
    assert [found for found, _ in garbage.files] == [path]
    run(**tiny_settings(tiny_tasks, tiny_backbone, other, **given))
    assert fitted(other) == []
    assert all(event["cached"] for event in events_of(other, "search")), "another run takes all trials from the store"
