from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.paraphrase import TWINS, Pair, Statement, same
from tasks.sources.simulated.variation import Voice, normal, retold

TEACHER, NURSE = Entity("teacher"), Entity("nurse")
MET = Proposition(TEACHER, "greet", NURSE, time="yesterday")
OTHER = Proposition(NURSE, "need", Entity("tool", "every"))
TALLER = Proposition(TEACHER, "be", quality="tall", than=NURSE)


def pair(*second: Proposition) -> Pair:
    return Pair(tuple(map(Statement, (MET, OTHER, TALLER))), tuple(map(Statement, second)))


@pytest.mark.parametrize(
    ("second", "equal"),
    [
        ((MET, OTHER, TALLER), True),
        ((TALLER, OTHER, MET), True),
        ((MET, replace(OTHER, object=Entity("tool", "all")), TALLER), True),
        ((MET, OTHER, Proposition(NURSE, "be", quality="short", than=TEACHER)), True),
        ((MET, OTHER, Proposition(NURSE, "be", quality="tall", than=TEACHER)), False),
        ((replace(MET, subject=NURSE, object=TEACHER), OTHER, TALLER), False),
        ((replace(MET, negated=True), OTHER, TALLER), False),
        ((replace(MET, time="last week"), OTHER, TALLER), False),
        ((MET, replace(OTHER, object=Entity("tool", "most")), TALLER), False),
    ],
)
def test_same_propositions_in_other_terms(second: tuple[Proposition, ...], equal: bool) -> None:
    assert same(pair(*second)) is equal


def test_who_says_it_and_what_is_asked_belong_to_the_meaning() -> None:
    one, other = Statement(MET, TEACHER), Statement(MET, NURSE)
    assert not same(Pair((one,), (other,)))
    assert not same(Pair((Statement(MET, asked="why"),), (Statement(MET, asked="when"),)))


@pytest.mark.parametrize("p", [MET, OTHER, TALLER])
def test_retelling_keeps_the_meaning(p: Proposition) -> None:
    assert normal(retold(p)) == normal(p)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_shares_and_equal_overlap(twin) -> None:  # type: ignore[no-untyped-def]
    """Texts that say the same share about as many words as near misses do."""
    mechanism, n = twin.mechanism, 400
    overlaps: tuple[list[float], list[float]] = ([], [])
    for index in range(n):
        meaning = mechanism.draw(Chance("overlap", index))
        text, text_b = mechanism.write(meaning, Chance("said", index), "train")
        assert text != text_b
        one, two = (set(t.lower().replace(".", "").replace(",", "").split()) for t in (text, text_b))
        overlaps[int(mechanism.label(meaning))].append(len(one & two) / len(one | two))
    missed, equal = (sum(values) / len(values) for values in overlaps)
    assert abs(missed - equal) < 0.08
    assert abs(len(overlaps[1]) / n - mechanism.shares[1]) < 0.08


def test_a_voice_repeats_itself_and_takes_over_words() -> None:
    concept = next(noun for noun in lexicon().nouns.values() if len(noun.words) > 1)
    for index in range(20):
        first = Voice(Chance("voice", index))
        word = first.pick(concept.words)
        assert all(first.pick(concept.words) == word for _ in range(5))
        assert Voice(Chance(index), first.said, 1.0).pick(concept.words) == word
        assert Voice(Chance(index), first.said, 0.0).pick(concept.words) != word
