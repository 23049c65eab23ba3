"""States of paused fits in a store: they come back, and damage only costs time."""

from __future__ import annotations

from pathlib import Path

import pytest

from learners.specification.family import parse_learner
from learners.training.fit import fit
from learners.training.result import Fit
from stream.storage.states import drop_state, get_state, put_state, state_path, stored_states
from stream.storage.store import Store
from tests.loaded import backbone, encoded, score

RECIPE = "ab" * 32


def run(until: int | None) -> Fit:
    return fit(backbone(), parse_learner("head:epochs=3"), encoded(), score, 0, until=until)


def test_a_state_comes_back(tmp_path: Path) -> None:
    store, learner = Store(tmp_path), parse_learner("head:epochs=3")
    assert get_state(store, RECIPE) is None
    for until in (1, 2):
        state = run(until).state
        assert state is not None
        put_state(store, RECIPE, state)
        found = get_state(store, RECIPE)
        assert found is not None
        assert found.epochs == until
        whole = fit(backbone(), learner, encoded(), score, 0, state=found)
        assert whole.delta.id == run(None).delta.id
    assert stored_states(store) == [state_path(store, RECIPE)]
    drop_state(store, RECIPE)
    assert get_state(store, RECIPE) is None
    assert stored_states(store) == []
    drop_state(store, RECIPE)  # nothing happens


@pytest.mark.parametrize("damage", ["cut", "other", "empty", "folder"])
def test_a_damaged_state_is_none(tmp_path: Path, damage: str) -> None:
    store, state = Store(tmp_path), run(1).state
    assert state is not None
    put_state(store, RECIPE, state)
    path = state_path(store, RECIPE)
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "other":  # a file of another recipe under this name
        put_state(store, "cd" * 32, state)
        state_path(store, "cd" * 32).rename(path)
    else:
        path.write_bytes(content[:-1] if damage == "cut" else b"")
    assert get_state(store, RECIPE) is None
