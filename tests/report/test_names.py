"""Shortened names fit and still differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from stream.report.names import abbreviated, short_names


def test_the_longest_part_is_cut_first() -> None:
    assert abbreviated("full:sequential", 8) == "full:seq"
    assert abbreviated("full:sequential", 7) == "ful:seq"
    assert abbreviated("adapter:64", 10) == "adapter:64"
    assert abbreviated("adapterbias:share=alpha:l0", 18) == "adapterbias:sha:l0"  # adapter is another family


def test_names_with_one_beginning_are_numbered() -> None:
    assert short_names(["crowdflower_a", "crowdflower_b"], 8) == ("crowdflo", "crowdf~2")


LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Mn", "Me", "Cf"])


@given(st.lists(st.text(LETTERS, min_size=1, max_size=30), min_size=1, max_size=8, unique=True), st.integers(6, 30))
def test_short_names_fit_and_differ(names: list[str], width: int) -> None:
    short = short_names(names, width)
    assert all(cell_len(name) <= width for name in short)
    assert len(set(short)) == len(names)
