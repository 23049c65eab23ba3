"""The store: what is put comes back with its content checked; what is lost or damaged is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learners.delta.delta import Delta
from stream.storage.fits import FitResult, Recipe, recipe_id
from stream.storage.store import Store
from tasks.errors import InputError

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
recipes = st.dictionaries(st.text(), values, max_size=4)


def delta_of(seed: int = 0) -> Delta:
    noise = torch.Generator().manual_seed(seed)
    names = {"added.a.0.weight": (3, 4), "head.weight": (2, 4), "head.bias": (2,)}
    return Delta({name: torch.randn(shape, generator=noise) for name, shape in names.items()})


RECIPE = Recipe(
    backbone="b", data="d", learner={"name": "head"}, task="a", seed=0, train_examples=None, test_examples=None,
    previous=None, numerics={"dtype": "float32"},
)  # fmt: skip


def fit_of(delta: Delta) -> FitResult:
    return FitResult(
        task="a", delta=delta.id, digests=dict(delta.digests), parameters=12, kept_parameters=12, added_parameters=12,
        head_parameters=10, bytes=1, head_bytes=40, validation=(0.5,), losses=(0.1,), best=0, flops=1.0, examples=4,
        seconds=0.5, peak_memory_bytes=1,
    )  # fmt: skip


@given(recipes, recipes)
def test_equal_recipes_have_equal_ids_and_no_others(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert recipe_id(a) == recipe_id(dict(reversed(a.items())))
    assert (recipe_id(a) == recipe_id(b)) == (json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True))


def test_a_delta_comes_back(tmp_path: Path) -> None:
    store, delta = Store(tmp_path), delta_of()
    size = store.put_delta(delta)
    assert size == store.put_delta(delta) == store.delta_path(delta.id).stat().st_size
    again = store.get_delta(fit_of(delta))
    assert again.id == delta.id
    assert all(torch.equal(tensor, delta.tensors[name]) for name, tensor in again.tensors.items())


def test_a_fit_counts_only_with_its_delta(tmp_path: Path) -> None:
    store, delta = Store(tmp_path), delta_of()
    assert store.get_fit(RECIPE.id) is None
    store.put_fit(RECIPE, fit_of(delta))
    assert store.get_fit(RECIPE.id) is None
    store.put_delta(delta)
    assert store.get_fit(RECIPE.id) == fit_of(delta)
    store.delta_path(delta.id).unlink()
    assert store.get_fit(RECIPE.id) is None
    with pytest.raises(InputError, match=delta.id):
        store.get_delta(fit_of(delta))


def test_a_fit_counts_only_with_its_whole_delta(tmp_path: Path) -> None:
    store, delta = Store(tmp_path), delta_of()
    store.put_delta(delta)
    store.put_fit(RECIPE, fit_of(delta))
    assert store.holds(RECIPE.id, delta.id)
    whole = store.delta_path(delta.id).read_bytes()
    for damaged in (whole[:-1], whole + b"x", whole[:40], b"", b"\xff" * len(whole), None):
        if damaged is None:
            store.delta_path(delta.id).unlink()
        else:
            store.delta_path(delta.id).write_bytes(damaged)
        assert not store.holds(RECIPE.id, delta.id)


@pytest.mark.parametrize("text", ["", '{"delta": ', "[]", "{}", "7"])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    store.put_fit(RECIPE, fit_of(delta_of()))
    (path,) = (tmp_path / "fits").iterdir()
    path.write_text(text)
    with pytest.raises(InputError, match="damaged record") as caught:
        store.get_fit(RECIPE.id)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["added.a.0.weight", "head.bias"])
def test_a_changed_delta_is_named_with_its_tensor(tmp_path: Path, name: str) -> None:
    store, delta = Store(tmp_path), delta_of()
    store.put_delta(delta)
    path = store.delta_path(delta.id)
    raw = bytearray(path.read_bytes())
    place = raw.find(delta.tensors[name].numpy().tobytes())
    assert place > 0
    raw[place + 5] ^= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match="a stored Delta changed") as caught:
        store.get_delta(fit_of(delta))
    assert f"tensor {name}" in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_cut_delta_is_named(tmp_path: Path) -> None:
    store, delta = Store(tmp_path), delta_of()
    store.put_delta(delta)
    path = store.delta_path(delta.id)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match="cannot read this Delta"):
        store.get_delta(fit_of(delta))


def test_another_delta_under_that_name_is_refused(tmp_path: Path) -> None:
    store, delta, other = Store(tmp_path), delta_of(), delta_of(1)
    store.put_delta(delta)
    store.put_delta(other)
    store.delta_path(other.id).replace(store.delta_path(delta.id))
    with pytest.raises(InputError, match=f"expected content {delta.id[:16]}; found {other.id[:16]}"):
        store.get_delta(fit_of(delta))
