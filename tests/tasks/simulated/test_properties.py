"""Every twin: the same example everywhere, noise as told, ceilings of the paper, texts well formed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import SUITES, TASKS, SimulatedSource
from tasks.examples import SPLITS
from tasks.houlsby26 import DATA_FACTS
from tasks.sources.simulated.registry import twins
from tasks.sources.simulated.twin import Example, Twin, example, examples

TWINNED = SUITES["houlsby26"]  # the known tasks that have a twin

PLACES = [(seed, split, index) for seed, split, index in ((0, "train", 0), (0, "test", 3), (7, "validation", 40_000))]


DIFFICULTIES = (0.0, None, 1.0)  # None: the default of each twin


def at(name: str, difficulty: float | None) -> Twin:
    return SimulatedSource(difficulty=difficulty).twin(name)


@cache
def rows(name: str, difficulty: float | None = None) -> Sequence[Example]:
    """The first training examples: many of short texts, few of long ones."""
    return tuple(examples(at(name, difficulty), 0, "train", 80 if DATA_FACTS[name].mean_characters < 500 else 16))


def digest(name: str, places: Sequence[tuple[int, str, int]]) -> str:
    """Hash of the examples at some places, whatever the order they are made in."""
    made = {place: example(twins()[name], *place) for place in places}
    content = [(place, found.text, found.text_b, found.target, found.clean) for place, found in sorted(made.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@settings(max_examples=60)
@given(
    st.sampled_from(list(TWINNED)),
    st.sampled_from(DIFFICULTIES) | st.floats(0, 1),
    st.integers(0, 2**63 - 1),
    st.sampled_from(SPLITS),
    st.integers(0, 10**9),
    st.data(),
)
def test_an_example_depends_on_its_place_alone(
    name: str, difficulty: float | None, seed: int, split: str, index: int, data: st.DataObject
) -> None:
    twin = at(name, difficulty)
    first = example(twin, seed, split, index)
    example(at(data.draw(st.sampled_from(list(TWINNED))), difficulty), seed, split, index + 1)
    assert example(at(name, difficulty), seed, split, index) == first
    assert first.clean == twin.mechanism.label(first.meaning)


def test_an_example_is_the_same_in_any_process_and_order() -> None:
    program = (
        "import json; from tests.tasks.simulated.test_properties import PLACES, digest, twins; "
        "print(json.dumps({name: digest(name, PLACES[::-1]) for name in reversed(twins())}))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4321", "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {name: digest(name, PLACES) for name in TWINNED}


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("name", TWINNED)
def test_labels_are_of_the_task_and_as_noisy_as_told(name: str, difficulty: float | None) -> None:
    twin, made = at(name, difficulty), rows(name, difficulty)
    if TASKS[name].kind == "regression":
        assert all(0 <= row.target <= 5 and 0 <= row.clean <= 5 for row in made)
        agreement = 0.0
    else:
        classes = range(len(twin.mechanism.shares))
        assert all(row.target in classes and row.clean in classes for row in made)
        agreement = sum(share**2 for share in twin.mechanism.shares)
    expected, n = twin.clarity + (1 - twin.clarity) * agreement, len(made)
    found = sum(row.target == row.clean for row in made) / n
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / n) ** 0.5 + 0.5 / n)


@pytest.mark.parametrize("name", TWINNED)
def test_labels_are_clear_or_as_unclear_as_leaves_the_best_score_of_the_paper(name: str) -> None:
    twin, majority = twins()[name], DATA_FACTS[name].majority
    assert twin.clarity >= 0.95
    assert 100 > twin.ceiling > twin.best - 0.1
    noisy = replace(twin, noise=None)
    assert 0 < noisy.clarity < 1
    assert noisy.ceiling == pytest.approx(twin.best, abs=0.05)
    for difficulty in DIFFICULTIES:
        shares = at(name, difficulty).mechanism.shares
        assert shares == twin.mechanism.shares
        assert shares or majority is None
        if majority is not None:
            assert 100 * max(shares) == pytest.approx(majority, abs=1.5)
            assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("name", TWINNED)
def test_every_mechanism_says_what_its_difficulty_is(name: str) -> None:
    mechanism = twins()[name].mechanism
    assert 0 <= mechanism.difficulty <= 1
    assert mechanism.hard_by == at(name, 1.0).mechanism.hard_by, "one sentence for all difficulties"
    assert len(mechanism.hard_by.split()) >= 8
    assert "(0)" in mechanism.hard_by
    assert "(1)" in mechanism.hard_by


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("name", TWINNED)
def test_texts_are_well_formed(name: str, difficulty: float | None) -> None:
    for row in rows(name, difficulty):
        assert (row.text_b is None) == (TASKS[name].kind == "single")
        for text in (row.text, row.text_b or row.text):
            assert text == " ".join(text.split()), "single spaces, none at the ends"
            assert text.isascii()
            assert text.isprintable()
            assert len(text) > 2
            assert "_" not in text


@pytest.mark.parametrize(
    "names",
    [
        ("cf_political_audience", "cf_political_bias", "cf_political_message"),
        ("cf_progressive_opinion", "cf_progressive_stance"),
    ],
)
def test_tasks_that_share_posts_ask_different_things_of_them(names: tuple[str, ...]) -> None:
    first, *others = ([example(twins()[name], 0, split, i) for split in SPLITS for i in range(30)] for name in names)
    for other in others:
        assert [row.text for row in other] == [row.text for row in first]
        assert [row.clean for row in other] != [row.clean for row in first]
    assert len({twins()[name].mechanism.space for name in TWINNED}) == len(TWINNED) - 3
