from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twin import Twin
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


def overlaps_at(twin: Twin, difficulty: float | None, n: int) -> tuple[list[float], list[float]]:
    """Shares of words that the texts of near misses, and of those that say the same, have in common."""
    mechanism: Any = twin.mechanism
    mechanism = mechanism if difficulty is None else replace(mechanism, difficulty=difficulty)
    found: tuple[list[float], list[float]] = ([], [])
    for index in range(n):
        meaning = mechanism.draw(Chance("overlap", index))
        text, text_b = mechanism.write(meaning, Chance("said", index), "train")
        assert text != text_b
        one, two = (set(t.lower().replace(".", "").replace(",", "").split()) for t in (text, text_b))
        found[int(mechanism.label(meaning))].append(len(one & two) / len(one | two))
    return found


@pytest.mark.parametrize("difficulty", [0, None, 1])
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_shares_and_equal_overlap(twin: Twin, difficulty: float | None) -> None:
    """Texts that say the same share about as many words as near misses do."""
    n = 400
    overlaps = overlaps_at(twin, difficulty, n)
    missed, equal = (sum(values) / len(values) for values in overlaps)
    assert abs(missed - equal) < 0.08
    assert abs(len(overlaps[1]) / n - twin.mechanism.shares[1]) < 0.08


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.task.name)
def test_hard_pairs_are_reworded_whether_they_say_the_same_or_not(twin: Twin) -> None:
    easy, hard = (overlaps_at(twin, difficulty, 200) for difficulty in (0, 1))
    for label in (0, 1):
        assert sum(easy[label]) / len(easy[label]) > sum(hard[label]) / len(hard[label]) + 0.1


@pytest.mark.parametrize(("difficulty", "small"), [(0, True), (1, False)])
def test_easy_changes_are_of_small_words_and_hard_ones_are_not(difficulty: float, small: bool) -> None:
    """What the two sides do not have in common: nothing but the roles and the small words, or more than these."""
    mechanism: Any = replace(TWINS[1].mechanism, difficulty=difficulty)  # type: ignore[type-var]
    pairs = [mechanism.draw(Chance("small", index)) for index in range(200)]
    missed = [(one.first[0], one.second[0]) for one in pairs if not same(one)]
    of_small = [
        one.asked != other.asked or one.proposition.negated != other.proposition.negated for one, other in missed
    ]
    assert (sum(of_small) > 0.6 * len(missed)) == small
    assert any(of_small) or not small


def test_a_voice_repeats_itself_and_takes_over_words() -> None:
    concept = next(noun for noun in lexicon().nouns.values() if len(noun.words) > 1)
    for index in range(20):
        first = Voice(Chance("voice", index))
        word = first.pick(concept.words)
        assert all(first.pick(concept.words) == word for _ in range(5))
        assert Voice(Chance(index), first.said, 1.0).pick(concept.words) == word
        assert Voice(Chance(index), first.said, 0.0).pick(concept.words) != word
