from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.figurative import (
    CALLED,
    DID,
    DONE,
    FELT,
    TWINS,
    UNDENIED,
    UNREAL,
    UNTRUE,
    Figurative,
    Said,
    happened,
)

DISASTERS = TWINS[0].mechanism
assert isinstance(DISASTERS, Figurative)
BURST = Proposition(Entity("factory"), "explode")


@pytest.mark.parametrize(
    ("said", "real"),
    [
        (Said(BURST), True),
        (Said(BURST, "I just heard that"), True),
        (Said(BURST, "in the film,"), False),
        (Said(replace(BURST, negated=True)), False),
        (Said(BURST, "it is a lie that"), False),
        (Said(replace(BURST, negated=True), "it is a lie that"), True),
        (Said(BURST, "it is a lie that it is not true that"), True),
        (Said(replace(BURST, negated=True), "it is a lie that it is not true that"), False),
        (Said(replace(BURST, tense="present", modal="might")), False),
        (Said(replace(BURST, tense="future")), False),
        (Said(replace(BURST, subject=Entity("inbox", "my"))), False),
        (Said(Proposition(Entity("exam"), "crush", Entity("I", "pronoun"))), False),
        (Said(Proposition(Entity("avalanche"), "crush", Entity("bus", "a"))), True),
        (Said(Proposition(Entity("playlist"), "be", Entity("bomb", "a"))), False),
        (Said(Proposition(Entity("flood", "a"), "happen")), True),
    ],
)
def test_happened(said: Said, real: bool) -> None:
    assert happened(said) is real


def test_a_disaster_is_none_the_less_for_what_is_told_beside_it() -> None:
    aside = Said(Proposition(Entity("I", "pronoun"), "read", Entity("inbox", "my")), "in the film,")
    assert DISASTERS.label((aside, Said(BURST))) == 1
    assert DISASTERS.label((Said(BURST, "in the film,"), replace(aside, frame=""))) == 0


def test_words_of_the_figures_are_in_the_lexicon() -> None:
    assert {*FELT, *DID, *DONE} <= set(lexicon().verbs)
    assert set(CALLED) <= set(lexicon().nouns)


@pytest.mark.parametrize("difficulty", [0.0, None, 1.0])
def test_shares(difficulty: float | None) -> None:
    disasters = DISASTERS if difficulty is None else replace(DISASTERS, difficulty=difficulty)
    labels = [disasters.label(disasters.draw(Chance("post", index))) for index in range(500)]
    assert abs(sum(labels) / 500 - disasters.shares[1]) < 0.08


def test_hard_posts_of_both_classes_have_the_same_frames_and_denials() -> None:
    """What is told, taken by itself, is denied as often in posts of disasters as in others: only of what counts."""
    hard = replace(DISASTERS, difficulty=1.0)
    denials: tuple[list[int], list[int]] = ([], [])
    for meaning in (hard.draw(Chance("denials", index)) for index in range(1500)):
        times = sum(said.what.negated + (said.frame in UNTRUE) + 2 * (said.frame in UNDENIED) for said in meaning)
        denials[int(hard.label(meaning))].append(times)
    means = [sum(of_class) / len(of_class) for of_class in denials]
    assert min(means) > 2
    assert means[0] == pytest.approx(means[1], abs=0.25)


def test_ways() -> None:
    meanings = [DISASTERS.draw(Chance("post", index)) for index in range(500)]
    labels = [DISASTERS.label(meaning) for meaning in meanings]
    frames = Counter(
        said.frame in UNREAL for meaning, label in zip(meanings, labels, strict=True) if label for said in meaning
    )
    assert frames[True] > 10  # posts of real disasters tell of films, too
