"""Facts about the file of a Delta, read without PyTorch: those of the Delta that PyTorch loads from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from learners.delta.delta import HEADS, Delta, load_delta, save_delta
from learners.delta.stored import StoredDelta, stored_delta
from tasks.errors import InputError
from tests.learners.test_delta import deltas, example


def agree(stored: StoredDelta, delta: Delta) -> None:
    assert stored.id == delta.id
    assert dict(stored.digests) == dict(delta.digests)
    assert (stored.pruned, stored.counts, stored.kept) == (delta.pruned, delta.counts, delta.kept)
    assert stored.sizes == {name: tensor.numel() for name, tensor in delta.tensors.items()}


@given(deltas())
@settings(max_examples=40)
def test_the_facts_are_those_of_the_loaded_delta(tmp_path_factory: pytest.TempPathFactory, delta: Delta) -> None:
    path = tmp_path_factory.mktemp("stored") / "x.safetensors"
    size = save_delta(delta, path)
    stored = stored_delta(path)
    agree(stored, delta)
    assert (stored.size, stored.negative_zeros) == (size, ())


def test_the_heads_of_other_tasks(tmp_path: Path) -> None:
    tensors = dict(example().tensors)
    delta = Delta({**tensors, f"{HEADS}cola.weight": tensors["head.weight"].clone()})
    save_delta(delta, tmp_path / "x")
    agree(stored_delta(tmp_path / "x"), delta)


def test_both_readers_see_each_flipped_bit_alike(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_delta(example(), path)
    intact = path.read_bytes()
    for position in range(len(intact)):
        damaged = bytearray(intact)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            loaded = load_delta(path).id
        except InputError:
            loaded = ""
        try:
            stored = stored_delta(path).id
        except InputError:
            stored = ""
        assert stored == loaded, position
