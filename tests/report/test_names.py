"""Shortened names fit and still differ."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from stream.report.names import abbreviated, plain_names, short_names, shown_names

from .fake_results import HOULSBY26, LEARNERS, make_results
from .rendering import render


def test_the_longest_part_is_cut_first() -> None:
    assert abbreviated("full:sequential", 8) == "full:seq"
    assert abbreviated("full:sequential", 7) == "ful:seq"
    assert abbreviated("adapter:64", 10) == "adapter:64"
    assert abbreviated("adapterbias:share=alpha:l0", 18) == "adapterbias:sha:l0"  # adapter is another family


def test_names_with_one_beginning_are_numbered() -> None:
    assert short_names(["crowdflower_a", "crowdflower_b"], 8) == ("crowdflo", "crowdf~2")


def test_options_are_left_out_first() -> None:
    rates = "adapter:64:learning_rate=1e-3/3e-3:select=halving"
    names = [rates, "adapter:8:learning_rate=1e-3", "lora:8:decay=constant", "lora:8:decay=linear"]
    assert [*plain_names(names).values()] == ["adapter:64", "adapter:8", *names[2:]]
    others = ["prefix:length=30+parallel:512:epochs=2", "lora:2:sharing=sequential", 'peft:{r=4,target=["a:b"]}:clip=1']
    kept = ["prefix:length=30+parallel:512", "lora:2:sharing=sequential", 'peft:{r=4,target=["a:b"]}']
    assert [*plain_names(others).values()] == kept
    assert shown_names(names, 15, names) == ("adapter:64", "adapter:8", "lo:8:d", "l:8:~2")
    assert shown_names([rates], 6, names) == ("ada:64",)


LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Mn", "Me", "Cf"])


@given(st.lists(st.text(LETTERS, min_size=1, max_size=30), min_size=1, max_size=8, unique=True), st.integers(6, 30))
def test_short_names_fit_and_differ(names: list[str], width: int) -> None:
    short = short_names(names, width)
    assert all(cell_len(name) <= width for name in short)
    assert len(set(short)) == len(names)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_learner_has_one_abbreviation_in_a_report(data: st.DataObject) -> None:
    """Whatever the width: each learner is written in full, without its options, or in one short form. A legend
    explains the last two."""
    learners = data.draw(st.permutations(list(LEARNERS)))[: data.draw(st.integers(1, 8))]
    results = make_results(HOULSBY26[: data.draw(st.sampled_from([3, 26]))], learners)
    text = render(results, data.draw(st.integers(50, 140)), sections=["league", "heatmap", "cost", "tasks"])
    said: dict[str, set[str]] = {name: set() for name in learners}
    for brief, name in re.findall(r"(\S+) = (\S+)", text):
        if name in said:
            said[name].add(brief)
    plain = plain_names(learners)
    assert all(len(forms - {plain[name]}) <= 1 for name, forms in said.items())
    assert len(set().union(*said.values())) == sum(map(len, said.values()))
    shown = {line.split()[0] for line in text.splitlines() if line.strip()}
    assert all(name in shown or forms & shown for name, forms in said.items())
