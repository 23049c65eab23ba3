"""Seeds depend on names, and on nothing else."""

from __future__ import annotations

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from tasks.seeds import generator, seed_of

purposes = st.lists(st.text(max_size=8), max_size=4).map(tuple)
seeds = st.integers(0, 2**31)


@given(seeds, purposes)
def test_every_random_source_accepts_a_seed(seed: int, purpose: tuple[str, ...]) -> None:
    assert 0 <= seed_of(seed, *purpose) < 2**63
    generator(seed, *purpose)


@given(seeds, purposes, seeds, purposes)
def test_equal_only_for_the_same_purpose(
    seed: int, purpose: tuple[str, ...], other: int, another: tuple[str, ...]
) -> None:
    assert (seed_of(seed, *purpose) == seed_of(other, *another)) == ((seed, purpose) == (other, another))


def test_borders_between_names_count() -> None:
    assert seed_of(0, "adapter", "cola") != seed_of(0, "adaptercola") != seed_of(0, "adapterc", "ola")
    assert seed_of(1, "1") != seed_of(11)


def test_is_the_documented_hash() -> None:
    """SHA-256 over length-prefixed parts, its first 63 bits: the same in every process and on every machine."""
    parts = ["taskstream:1:seed", "7", "adapter:64", "cola"]
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part.encode() for part in parts)).digest()
    assert seed_of(7, "adapter:64", "cola") == int.from_bytes(digest[:8], "big") >> 1


def test_generators_draw_alike_and_leave_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    first, second = (torch.rand(5, generator=generator(0, "x")) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())
