from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.figurative import CALLED, DID, DONE, FELT, TWINS, UNREAL, Figurative, Said, happened

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


def test_shares_and_ways() -> None:
    meanings = [DISASTERS.draw(Chance("post", index)) for index in range(500)]
    labels = [DISASTERS.label(meaning) for meaning in meanings]
    assert abs(sum(labels) / 500 - DISASTERS.shares[1]) < 0.08
    frames = Counter(
        said.frame in UNREAL for meaning, label in zip(meanings, labels, strict=True) if label for said in meaning
    )
    assert frames[True] > 10  # posts of real disasters tell of films, too
